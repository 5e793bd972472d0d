// How the app is let in to a vault, as callers enter it: a kind of connection each.
import * as z from 'zod';

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

export const connectionCredential = z.discriminatedUnion('kind', [federated, vendorHosted]).meta({
  id: 'ConnectionCredential',
  example: { kind: 'federated' },
});
