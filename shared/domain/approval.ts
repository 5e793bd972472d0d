// What an administrator of a tenant approves: one switch, or one export, and where it leads. Pure.
import { createHash } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed.ts';
import { sealedTextsOf, type KeyTarget } from './provider.ts';

/**
 * Who receives an export: the holder of a private key, named by the public key's thumbprint (RFC 7638, SHA-256, base64url), or people who know a
 * passphrase, which is chosen at the export and which no administrator saw before.
 */
export type ApprovedRecipient =
  { readonly type: 'public-key'; readonly thumbprint: string } | { readonly type: 'passphrase' };

/** `round` counts the keyring's exports that needed approval: an approval for an earlier round is void. */
export type Approval =
  | { readonly for: 'switch'; readonly keyringId: string; readonly switchId: string }
  | {
      readonly for: 'export';
      readonly keyringId: string;
      readonly round: number;
      readonly recipient: ApprovedRecipient;
    };

/** 32 bytes in base64url. */
export const THUMBPRINT = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Names an approval within its company; part of row keys, and sealed. */
export function approvalKey(approval: Approval): string {
  const { keyringId } = approval;
  return approval.for === 'switch'
    ? `switch|${keyringId}|${approval.switchId}`
    : `${exportRoundKey(approval)}|${recipientName(approval.recipient)}`;
}

/** The common prefix of all approvals of one export, for any recipient. */
export const exportRoundKey = ({ keyringId, round }: { readonly keyringId: string; readonly round: number }): string =>
  `export|${keyringId}|${round}`;

/** No thumbprint is as short as `passphrase`. */
const recipientName = (recipient: ApprovedRecipient): string =>
  recipient.type === 'passphrase' ? recipient.type : recipient.thumbprint;

/** SHA-256, hex, of the key that was shown to the administrator: an approval of one destination does not hold for another. */
export function destinationDigest(target: Pick<KeyTarget, 'host' | 'keyName' | 'tenantId' | 'ref'>): string {
  // Without case, since the settings name the vendor's key and may spell it otherwise tomorrow.
  const texts = sealedTextsOf(target.ref, { ...target, keyName: target.keyName.toLowerCase() });
  return createHash('sha256')
    .update(lengthPrefixed(['keyswitch.destination.1', ...texts]))
    .digest('hex');
}
