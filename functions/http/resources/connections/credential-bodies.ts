// How the app proves itself for a connection, as callers see it: one form for each kind. A secret is taken and never answered. Pure.
import * as z from 'zod';
import type { Credential } from '../../../../shared/domain/provider.ts';
import { GUID_IN_ANY_CASE } from '../../../../shared/domain/ids.ts';
import { TYPED_FORMS } from '../../../../shared/providers/registry/providers.ts';
import { EXAMPLE_TIME, time } from '../../kernel/schemas/ids.ts';
import { promised } from '../../kernel/schemas/text.ts';
import { MAX_INPUT_CHARS } from '../../kernel/schemas/vault-uri.ts';

const federated = z.strictObject({ kind: z.literal('federated') }).meta({
  id: 'FederatedCredential',
  description:
    'The connector app by its federated credential, once an administrator of the vault’s tenant has consented.',
});

const vendorHosted = z.strictObject({ kind: z.literal('vendor-hosted') }).meta({
  id: 'VendorHostedCredential',
  description:
    'The app’s own identity, at a key of the company’s own in a vault of its own in the vendor’s tenant. Only Keyswitch.VendorAdmin enters it.',
});

/** Judged by the operation, whose answers name every mistake with its fix; here only bounded. */
const typed = (form: RegExp): z.ZodString =>
  z
    .string()
    .max(MAX_INPUT_CHARS)
    .meta({ override: promised(form) });

const clientSecret = z
  .strictObject({
    kind: z.literal('client-secret'),
    clientId: typed(GUID_IN_ANY_CASE).meta({
      description:
        "Application (client) ID of an app that the company registered in the vault's tenant: `tenantId` is required with it.",
    }),
    clientSecret: typed(TYPED_FORMS.clientSecret)
      .optional()
      .meta({
        description:
          'The Value of the secret, not its Secret ID. Never answered. Without it what is stored stays; where none is, it is required. Beside a ' +
          'stored one it is the newer of two: it is tried first, and once it has worked, at least ten minutes after it was entered, the older is dropped.',
        writeOnly: true,
      }),
    expiresAt: typed(/^20[3-9][0-9]-1[0-2]-2[0-8]$/)
      .optional()
      .meta({
        description:
          'When the secret expires, a date or a time in ISO 8601 that is still to come; required with a secret. Warned of 30, 7 and 1 days before.',
      }),
    dropOlder: z
      .boolean()
      .optional()
      .meta({ description: 'Drop an older secret at once, whether the newer has worked or not.' }),
  })
  .meta({
    id: 'ClientSecretCredential',
    description: "An app of the company's own. No consent is asked for: the first green test claims the key.",
  });

export const credentialInput = z.discriminatedUnion('kind', [federated, clientSecret, vendorHosted]).meta({
  id: 'ConnectionCredential',
  description: 'How the app is let in to the vault: a kind of connection each.',
  example: { kind: 'federated' },
});

export const credentialBody = z.strictObject({
  kind: z.string(),
  clientId: z.string(),
  secrets: z
    .array(z.strictObject({ secretId: z.string(), enteredAt: time, expiresAt: time }))
    .max(2)
    .optional()
    .meta({
      description:
        'The secrets that are stored, the newest first; none is ever shown. Their ids are ours, not those of Entra ID.',
      example: [
        {
          secretId: '0c8ad5a3-6f1e-4a44-9a5b-2f6f1c7f2a10',
          enteredAt: EXAMPLE_TIME,
          expiresAt: '2027-05-31T00:00:00.000Z',
        },
      ],
    }),
});

export const credentialToBody = ({ kind, clientId, secrets }: Credential): z.input<typeof credentialBody> => ({
  kind,
  clientId,
  ...(secrets === undefined
    ? {}
    : { secrets: secrets.map(({ secretId, enteredAt, expiresAt }) => ({ secretId, enteredAt, expiresAt })) }),
});
