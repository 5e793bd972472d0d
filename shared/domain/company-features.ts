// What the vendor lets a company have. It is asked where something new begins, never of what is in force: to cancel, to switch back to the vendor's
// key, to re-key and to export is always free. Pure.
import type { Refusal } from './refusal.ts';

/** `customer-keys`: connections to vaults of its own. `more-keyrings`: others than the first. Then the kinds of credentials of connections. */
export const FEATURES = ['customer-keys', 'more-keyrings', 'federated', 'client-secret', 'vendor-hosted'] as const;
export type Feature = (typeof FEATURES)[number];
/** Every feature, also those to come. */
export const ALL_FEATURES = 'all';

/** Undefined if the company has them all. Without a set of its own it has every one. */
export function lackOfFeature(
  features: readonly Feature[] | undefined,
  needed: readonly string[],
): Refusal | undefined {
  const lacking = features && needed.find((feature) => !features.some((one) => one === feature));
  if (lacking === undefined) return undefined;
  return {
    type: 'state',
    code: 'feature-not-enabled',
    message: `The vendor has not enabled '${lacking}' for the company.`,
  };
}

/** As rows hold them. What cannot be read is no feature: it never means all. */
export function readFeatures(stored: unknown): readonly Feature[] {
  const names: readonly unknown[] = Array.isArray(stored) ? stored : [];
  return FEATURES.filter((feature) => names.includes(feature));
}
