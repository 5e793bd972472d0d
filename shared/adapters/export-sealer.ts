// JWE by jose, for the holder of a private key or for people who know a passphrase. jose draws the content-encryption key, ephemeral key and salt
// anew for each export.
import { CompactEncrypt } from 'jose';
import { EXPORT_CONTENT_ENCRYPTION } from '../domain/company-key-export.ts';
import { PASSPHRASE_ITERATIONS, type ExportRecipient } from '../domain/export-recipient.ts';
import type { ExportSealer } from '../domain/ports.ts';

export const exportSealer: ExportSealer = {
  async seal(content: Uint8Array, recipient: ExportRecipient): Promise<string> {
    const { algorithm: alg } = recipient;
    const jwe = new CompactEncrypt(content).setProtectedHeader({
      alg,
      enc: EXPORT_CONTENT_ENCRYPTION,
      cty: 'application/json',
      ...(recipient.type === 'public-key' && recipient.keyId !== undefined ? { kid: recipient.keyId } : {}),
    });
    if (recipient.type === 'public-key') return jwe.encrypt(recipient.key);
    const passphrase = new TextEncoder().encode(recipient.passphrase);
    try {
      return await jwe.setKeyManagementParameters({ p2c: PASSPHRASE_ITERATIONS }).encrypt(passphrase);
    } finally {
      passphrase.fill(0);
    }
  },
};
