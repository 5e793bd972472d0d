// What a company demands of its own keys and keyrings, stricter than the deployment. Only its own administrators say it. Pure.
import type { ProviderRef } from './provider.ts';
import type { Refusal } from './refusal.ts';
import { isRecord } from './plain-object.ts';

export const KEY_SIZES = [2048, 3072, 4096] as const;
type KeySize = (typeof KEY_SIZES)[number];

export interface CompanyPolicy {
  /** Whether a keyring may come, or begin, under the vendor's own key. */
  readonly vendorKey: 'allowed' | 'forbidden';
  /** How many keyrings may be under one provider whose keys are the company's. */
  readonly keyringsPerProvider: 'any' | 'one';
  /** Of RSA keys that newly protect anything. Absent: what the deployment demands. */
  readonly minRsaBits?: KeySize | undefined;
}

export const NO_POLICY: CompanyPolicy = { vendorKey: 'allowed', keyringsPerProvider: 'any' };
const STRICTEST: CompanyPolicy = { vendorKey: 'forbidden', keyringsPerProvider: 'one', minRsaBits: 4096 };

/** As rows hold it. What cannot be read is read as the strictest. */
export function readPolicy(stored: unknown): CompanyPolicy {
  if (!isRecord(stored)) return STRICTEST;
  const { vendorKey, keyringsPerProvider, minRsaBits } = stored;
  return {
    vendorKey: vendorKey === 'allowed' ? 'allowed' : STRICTEST.vendorKey,
    keyringsPerProvider: keyringsPerProvider === 'any' ? 'any' : STRICTEST.keyringsPerProvider,
    minRsaBits: minRsaBits === undefined ? undefined : (KEY_SIZES.find((size) => size === minRsaBits) ?? 4096),
  };
}

/** Undefined if a keyring may come to be under the provider. `others`: where the company's other keyrings are, or are going. */
export function policyForbids(
  { vendorKey, keyringsPerProvider }: CompanyPolicy,
  place: { readonly ref: ProviderRef; readonly others: readonly ProviderRef[] },
): Refusal | undefined {
  const { ref, others } = place;
  if (ref.connectionId === undefined) {
    return vendorKey === 'forbidden' ? forbidden(VENDOR_KEY) : undefined;
  }
  const isTaken = keyringsPerProvider === 'one' && others.some(({ provider }) => provider === ref.provider);
  return isTaken ? forbidden(oneUnder(ref.provider)) : undefined;
}

const VENDOR_KEY =
  "The company's policy forbids the key of the vendor: take a key of the company's own, or have its admin change the policy.";
const oneUnder = (provider: string): string =>
  `The company's policy allows one keyring under ${provider}, and one is there or on its way. Its admin can change the policy.`;

const forbidden = (message: string): Refusal => ({ type: 'state', code: 'policy-forbids', message });
