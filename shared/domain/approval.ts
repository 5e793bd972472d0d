// What an administrator of a tenant approves: one switch, or one export, and where it leads. Pure.
import { createHash } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed.ts';
import { sealedTextsOf, type KeyTarget } from './provider.ts';

/**
 * To whom an export goes: the holder of the private key to a public key, named by its thumbprint (RFC 7638, SHA-256, base64url); or people who
 * know a passphrase, which is chosen at the export and shown to no administrator before.
 */
export type ApprovedRecipient =
  { readonly type: 'public-key'; readonly thumbprint: string } | { readonly type: 'passphrase' };

/** `round` counts the exports of a keyring that were approved anew: what was approved for an earlier one is void. */
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

/** A text that names an approval within its company; a part of row keys, and sealed. */
export function approvalKey(approval: Approval): string {
  const { keyringId } = approval;
  return approval.for === 'switch'
    ? `switch|${keyringId}|${approval.switchId}`
    : `${exportRoundKey(approval)}|${recipientName(approval.recipient)}`;
}

/** What the approvals of one export have in common, whatever its recipient. */
export const exportRoundKey = ({ keyringId, round }: { readonly keyringId: string; readonly round: number }): string =>
  `export|${keyringId}|${round}`;

/** No thumbprint is as short as the other word. */
const recipientName = (recipient: ApprovedRecipient): string =>
  recipient.type === 'passphrase' ? recipient.type : recipient.thumbprint;

/** SHA-256, hex, of the key that was shown to the administrator who approved: an approval of one place is none of another. */
export function destinationDigest(target: Pick<KeyTarget, 'host' | 'keyName' | 'tenantId' | 'ref'>): string {
  // However its name is spelt: the settings spell the vendor's, and may spell it otherwise tomorrow.
  const texts = sealedTextsOf(target.ref, { ...target, keyName: target.keyName.toLowerCase() });
  return createHash('sha256')
    .update(lengthPrefixed(['keyswitch.destination.1', ...texts]))
    .digest('hex');
}
