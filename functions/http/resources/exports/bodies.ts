// The export of a company key as callers ask for it and get it. Pure.
import * as z from 'zod';
import { EXPORT_FORMAT } from '../../../../shared/domain/company-key-export.ts';
import {
  MAX_PASSPHRASE_CHARS,
  MIN_PASSPHRASE_CHARS,
  MIN_DIFFERENT_CHARS,
} from '../../../../shared/domain/export-recipient.ts';
import { count, keyringId } from '../../kernel/schemas/ids.ts';
import { exportPublicKey } from '../../kernel/schemas/export-recipient.ts';

export const exportBody = z
  .strictObject({
    publicKey: exportPublicKey.optional(),
    passphrase: z
      .string()
      .meta({
        override: {
          minLength: MIN_PASSPHRASE_CHARS,
          maxLength: MAX_PASSPHRASE_CHARS,
          pattern: String.raw`^[^\u0000-\u001f\u007f-\u009f]*$`,
        },
      })
      .optional()
      .meta({
        description: `At least ${MIN_DIFFERENT_CHARS} different characters, no control characters and no lone surrogates (PBES2-HS512+A256KW). It is not kept.`,
      }),
  })
  .meta({
    id: 'ExportRequest',
    description: 'Who can open the export: exactly one of the two.',
    override: { minProperties: 1, maxProperties: 1 },
    example: { passphrase: 'correct horse battery staple' },
  });

export const exportAnswer = z
  .strictObject({
    format: z.literal(EXPORT_FORMAT),
    keyringId,
    versions: z.array(count).min(1).meta({ description: 'The versions of the company key that are inside.' }),
    jwe: z.string().meta({ description: 'A JWE (RFC 7516) in its compact form, encrypted with A256GCM.' }),
  })
  .meta({
    id: 'CompanyKeyExport',
    example: {
      format: 'keyswitch.company-key-export.1',
      keyringId: 'default',
      versions: [2],
      jwe: 'eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.a2V5.aXY.Y2lwaGVydGV4dA.dGFn',
    },
  });
