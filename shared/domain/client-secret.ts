// A client secret of a company's own app, as its connection's row holds it. Pure. Where it belongs is company, connection, tenant and app, so in a copied row
// or for another app it does not open.
import { sealedTextsOfSecret, type SealedSecret, type SecretPlace } from './sealed-secret.ts';

export interface ClientSecret extends SealedSecret {
  /** Whose it is: from where the row lies, never from its cells. */
  readonly companyId: string;
  readonly connectionId: string;
  /** Ours; a new one each time that a secret is entered. */
  readonly secretId: string;
  readonly enteredAt: string;
  /** As the person who entered it said. */
  readonly expiresAt: string;
}

/** The app that a secret is of, and the tenant that it is good in. */
export interface AppInTenant {
  readonly tenantId: string;
  readonly clientId: string;
}

export const placeOfClientSecret = (
  { companyId, connectionId, secretId }: Pick<ClientSecret, 'companyId' | 'connectionId' | 'secretId'>,
  { tenantId, clientId }: AppInTenant,
): SecretPlace => ['keyswitch.client-secret.1', companyId, connectionId, tenantId, clientId, secretId];

/** What the connection's seal covers of it. */
export const sealedTextsOfClientSecret = (secret: ClientSecret): readonly string[] => [
  secret.secretId,
  secret.enteredAt,
  secret.expiresAt,
  ...sealedTextsOfSecret(secret),
];
