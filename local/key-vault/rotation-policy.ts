// The rotation policy of a key as it is read, judged and told (keys/how-to-configure-key-rotation in Microsoft's documentation). What it says of expiry
// holds for each version that a rotation makes; nothing rotates here by itself.
import * as z from 'zod';
import type { RotationPolicy, Vault, VaultKey } from './model.ts';
import { find, parseBody, type KeyAnswer, type KeyCall } from './key-call.ts';
import * as refuse from './vault-error.ts';

const DAY_SECONDS = 86_400;
const DAYS: Readonly<Record<string, number>> = { D: 1, M: 30, Y: 365 };
/** Of rotations, and before an expiry. */
const LEAST_DAYS = 7;
const LEAST_EXPIRY_DAYS = 28;

const duration = z.string().regex(/^P\d{1,4}[DMY]$/);
const trigger = z.union([
  z.strictObject({ timeAfterCreate: duration }),
  z.strictObject({ timeBeforeExpiry: duration }),
]);
const policyBody = z.object({
  lifetimeActions: z
    .array(z.object({ trigger, action: z.object({ type: z.enum(['Rotate', 'Notify', 'rotate', 'notify']) }) }))
    .default([]),
  attributes: z.object({ expiryTime: duration.nullish() }).default({}),
});

/** What a key has to which nobody gave one. */
const BY_DEFAULT: RotationPolicy = {
  lifetimeActions: [{ trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'Notify' } }],
};

export function getRotationPolicy(call: KeyCall): KeyAnswer {
  const { key } = find({ ...call, path: { ...call.path, version: '' } });
  return told(call.vault, key);
}

export function putRotationPolicy(call: KeyCall): KeyAnswer {
  const { key } = find({ ...call, path: { ...call.path, version: '' } });
  const body = parseBody(policyBody, call.body);
  const expiryTime = body.attributes.expiryTime ?? undefined;
  const lifetimeActions = body.lifetimeActions.map(({ trigger: when, action }) => ({
    trigger: when,
    action: { type: action.type.toLowerCase() === 'rotate' ? ('Rotate' as const) : ('Notify' as const) },
  }));
  judge(lifetimeActions, expiryTime);
  if (lifetimeActions.some(({ action }) => action.type === 'Rotate') && isImported(key)) {
    throw refuse.badParameter('Automatic rotation is not supported for imported keys.');
  }
  const nowSeconds = Math.floor(call.nowMs / 1000);
  const created = key.rotationPolicy?.created ?? nowSeconds;
  key.rotationPolicy = { lifetimeActions, expiryTime, created, updated: nowSeconds };
  return told(call.vault, key);
}

/** When a version that is made now expires, in Unix seconds. */
export function expiryByPolicy({ rotationPolicy }: VaultKey, nowMs: number): number | undefined {
  const { expiryTime } = rotationPolicy ?? {};
  return expiryTime === undefined ? undefined : Math.floor(nowMs / 1000) + daysOf(expiryTime) * DAY_SECONDS;
}

export const isImported = ({ versions }: VaultKey): boolean => versions.at(-1)?.imported === true;

function judge(actions: RotationPolicy['lifetimeActions'], expiryTime: string | undefined): void {
  if (expiryTime !== undefined && daysOf(expiryTime) < LEAST_EXPIRY_DAYS) {
    throw refuse.badParameter(`The expiry time must be at least ${LEAST_EXPIRY_DAYS} days.`);
  }
  for (const { trigger: when } of actions) {
    if (daysOf(when.timeAfterCreate ?? when.timeBeforeExpiry ?? 'P0D') < LEAST_DAYS) {
      throw refuse.badParameter(`The trigger of a lifetime action must be at least ${LEAST_DAYS} days.`);
    }
    if (when.timeBeforeExpiry !== undefined && expiryTime === undefined) {
      throw refuse.badParameter('A trigger before expiry needs an expiry time.');
    }
  }
}

const daysOf = (text: string): number => Number(text.slice(1, -1)) * (DAYS[text.slice(-1)] ?? 0);

function told(vault: Vault, key: VaultKey): object {
  const { lifetimeActions, expiryTime, created, updated } = key.rotationPolicy ?? BY_DEFAULT;
  const attributes = {
    ...(expiryTime === undefined ? {} : { expiryTime }),
    ...(created === undefined ? {} : { created, updated }),
  };
  return { id: `https://${vault.host}/keys/${key.name}/rotationpolicy`, lifetimeActions, attributes };
}
