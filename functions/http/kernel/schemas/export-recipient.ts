// To whom a company key is exported, as the export asks for it and as it is approved. Pure.
import * as z from 'zod';
import { visibleText } from './text.ts';

/** The modulus of the largest key that is taken, and more. */
const MAX_MEMBER_CHARS = 4_096;
const MAX_TEXT_CHARS = 256;
const MAX_OPERATIONS = 16;

const member = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url without padding')
  .max(MAX_MEMBER_CHARS);
const word = visibleText(MAX_TEXT_CHARS);

/** What any key may say of itself. `use`, `alg` and `key_ops` are judged by the operation, with words of its own. */
const saidOf = (algorithm: string) => ({
  kid: word.optional().meta({ description: 'Comes back in the header of the JWE.' }),
  use: word.meta({ override: { enum: ['enc'] } }).optional(),
  alg: word.meta({ override: { enum: [algorithm] } }).optional(),
  key_ops: z
    .array(word)
    .max(MAX_OPERATIONS)
    .optional()
    .meta({ description: 'Not only those of a key for signatures.' }),
  ext: z.boolean().optional(),
});

export const exportPublicKey = z
  .discriminatedUnion('kty', [
    z
      .strictObject({ kty: z.literal('RSA'), n: member, e: member, ...saidOf('RSA-OAEP-256') })
      .meta({ id: 'RsaPublicKey', description: 'Of 2,048 to 16,384 bits, for RSA-OAEP-256.' }),
    z
      .strictObject({
        kty: z.literal('EC'),
        crv: z.enum(['P-256', 'P-384', 'P-521']),
        x: member,
        y: member,
        ...saidOf('ECDH-ES'),
      })
      .meta({ id: 'EcPublicKey', description: 'For ECDH-ES.' }),
    z
      .strictObject({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: member, ...saidOf('ECDH-ES') })
      .meta({ id: 'OkpPublicKey', description: 'For ECDH-ES.' }),
  ])
  .meta({ id: 'ExportPublicKey', description: 'A public key as a JWK. Never a private one.' });

/** To whom an export is to go, as it is named to those who approve it. */
export const exportRecipientInput = z
  .discriminatedUnion('type', [
    z
      .strictObject({ type: z.literal('public-key'), publicKey: exportPublicKey })
      .meta({ id: 'ExportToPublicKey', description: 'Approved by the thumbprint of the key (RFC 7638, SHA-256).' }),
    z.strictObject({ type: z.literal('passphrase') }).meta({
      id: 'ExportByPassphrase',
      description:
        'Whoever knows the passphrase that the export is asked for with. Those who approve cannot see who that is.',
    }),
  ])
  .meta({ id: 'ExportRecipient' });
