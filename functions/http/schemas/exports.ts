// The export of a company key as callers ask for it and get it. Pure.
import * as z from 'zod';
import { EXPORT_FORMAT } from '../../../shared/domain/company-key-export.ts';
import {
  MAX_PASSPHRASE_CHARS,
  MIN_PASSPHRASE_CHARS,
  MIN_DIFFERENT_CHARS,
} from '../../../shared/domain/export-recipient.ts';
import { count, keyringId } from './ids.ts';
import { visibleText } from './text.ts';

/** The modulus of the largest key that is taken, and more. */
const MAX_MEMBER_CHARS = 4_096;
const MAX_TEXT_CHARS = 256;
const MAX_OPERATIONS = 16;

const member = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url without padding')
  .max(MAX_MEMBER_CHARS)
  .optional();
const word = visibleText(MAX_TEXT_CHARS);

export const exportPublicKey = z
  .strictObject({
    kty: z.enum(['RSA', 'EC', 'OKP']),
    n: member,
    e: member,
    crv: z.enum(['P-256', 'P-384', 'P-521', 'X25519']).optional(),
    x: member,
    y: member,
    kid: word.optional().meta({ description: 'Comes back in the header of the JWE.' }),
    use: word.optional(),
    alg: word.optional(),
    key_ops: z.array(word).max(MAX_OPERATIONS).optional(),
    ext: z.boolean().optional(),
  })
  .meta({
    id: 'ExportPublicKey',
    description:
      'A public key as a JWK: RSA of 2,048 bits and more (RSA-OAEP-256), or EC P-256, P-384, P-521 or OKP X25519 (ECDH-ES). Never a private one.',
  });

export const exportBody = z
  .strictObject({
    publicKey: exportPublicKey.optional(),
    passphrase: z
      .string()
      .optional()
      .meta({
        description: `${MIN_PASSPHRASE_CHARS} to ${MAX_PASSPHRASE_CHARS} characters, at least ${MIN_DIFFERENT_CHARS} different ones, no control characters (PBES2-HS512+A256KW). It is not kept.`,
      }),
  })
  .meta({ id: 'ExportRequest', description: 'Who can open the export: exactly one of the two.' });

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

export const exportAnswer = z
  .strictObject({
    format: z.literal(EXPORT_FORMAT),
    keyringId,
    versions: z.array(count).min(1).meta({ description: 'The versions of the company key that are inside.' }),
    jwe: z.string().meta({ description: 'A JWE (RFC 7516) in its compact form, encrypted with A256GCM.' }),
  })
  .meta({ id: 'CompanyKeyExport' });
