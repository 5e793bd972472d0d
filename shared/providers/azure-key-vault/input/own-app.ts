// An app of the company's own with its client secret, as it is typed of a connection. Pure.
import type { Credential } from '../../../domain/provider.ts';
import type { TypedSecret } from '../../provider.ts';
import { isGuid } from '../../../domain/ids.ts';
import { inPlainCharacters } from '../../../domain/plain-characters.ts';
import { present } from '../../../domain/plain-object.ts';
import type { Refusal } from '../../../domain/refusal.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { CLIENT_SECRET } from '../../../identity/entra/credential-kinds.ts';
import { parseClientSecret } from './client-secret.ts';

/** How the app is let in. */
export interface WayIn {
  readonly credential: Credential;
  readonly tenantId?: string;
  /** Of a credential that shows one. */
  readonly secret?: TypedSecret;
}

export function ownApp(
  fields: Readonly<Record<string, unknown>>,
  { connectorClientId, tenantId }: { readonly connectorClientId: string; readonly tenantId: string | undefined },
): Result<WayIn, Refusal> {
  if (tenantId === undefined)
    return invalid(
      'tenantId',
      'Enter the Directory (tenant) ID of the app: a client secret is good in that tenant only.',
    );
  const clientId = inPlainCharacters(textOf(fields['clientId'])).trim().toLowerCase();
  if (!isGuid(clientId)) return invalid('credential.clientId', 'An Application (client) ID is a GUID.');
  if (clientId === tenantId)
    return invalid(
      'credential.clientId',
      'This is the Directory (tenant) ID; the Application (client) ID is asked for.',
    );
  if (clientId === connectorClientId)
    return invalid(
      'credential.clientId',
      "This is the vendor's app. Enter the app that you registered in your own tenant.",
    );
  const { clientSecret, expiresAt, dropOlder } = fields;
  const value = clientSecret === undefined ? undefined : parseClientSecret(textOf(clientSecret));
  if (value && !value.ok) return err({ type: 'failure', failure: value.error, target: 'body.credential.clientSecret' });
  const ends = expiresAt === undefined ? undefined : Date.parse(textOf(expiresAt));
  if (ends !== undefined && Number.isNaN(ends))
    return invalid('credential.expiresAt', 'The end of a secret is a date such as 2027-05-31.');
  if (value && ends === undefined)
    return invalid(
      'credential.expiresAt',
      'Enter the date in the column Expires beside the secret: you are warned before it.',
    );
  return ok({
    credential: { kind: CLIENT_SECRET, clientId },
    tenantId,
    secret: present({
      value: value?.value,
      expiresAt: ends === undefined ? undefined : new Date(ends).toISOString(),
      dropOlder: dropOlder === true ? true : undefined,
    }),
  });
}

const textOf = (typed: unknown): string => (typeof typed === 'string' ? typed : '');

const invalid = (field: string, message: string): Result<never, Refusal> =>
  err({ type: 'invalid', target: `body.${field}`, message });
