// What an administrator of a tenant approves: one switch, or one export, and where it leads. Pure.
import { createHash } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed.ts';
import type { VaultTarget } from './provider.ts';

/** `round` counts the exports of a keyring that were approved anew: what was approved for an earlier one is void. */
export type Approval =
  | { readonly for: 'switch'; readonly keyringId: string; readonly switchId: string }
  | { readonly for: 'export'; readonly keyringId: string; readonly round: number };

/** A text that names an approval within its company; a part of row keys, and sealed. */
export function approvalKey(approval: Approval): string {
  const { keyringId } = approval;
  return approval.for === 'switch'
    ? `switch|${keyringId}|${approval.switchId}`
    : `export|${keyringId}|${approval.round}`;
}

/** SHA-256, hex, of the vault key that was shown to whoever approved: an approval of one place is none of another. */
export function destinationDigest(target: Pick<VaultTarget, 'host' | 'keyName' | 'tenantId' | 'ref'>): string {
  const { host, keyName, tenantId, ref } = target;
  const texts = [
    'keyswitch.destination.1',
    host,
    keyName.toLowerCase(),
    tenantId,
    ref.provider,
    ref.provider === 'managed' ? '' : ref.connectionId,
  ];
  return createHash('sha256').update(lengthPrefixed(texts)).digest('hex');
}
