// The client secrets in the row of a connection. Pure. Whose they are comes from the row's place, not from the cell.
import { placeOfClientSecret, type ClientSecret } from '../../domain/client-secret.ts';
import type { Connection, ConnectionPlace } from '../../domain/connection.ts';
import { isRecord } from '../../domain/plain-object.ts';
import type { HeldSecrets } from './row.ts';
import { readSealedSecret } from './secret-cell.ts';

export const clientSecretsCell = (secrets: readonly ClientSecret[] | undefined): string =>
  secrets === undefined ? '' : JSON.stringify(secrets.map(({ companyId: _c, connectionId: _id, ...stored }) => stored));

/** Undefined if the cell holds no such list. */
export function readClientSecrets(
  value: unknown,
  place: ConnectionPlace,
): readonly [ClientSecret, ...ClientSecret[]] | undefined {
  if (!Array.isArray(value)) return undefined;
  const read = (value as unknown[]).map((one) => readClientSecret(one, place));
  const [first, ...others] = read.filter((one) => one !== undefined);
  return first && others.length + 1 === read.length ? [first, ...others] : undefined;
}

function readClientSecret(value: unknown, { companyId, connectionId }: ConnectionPlace): ClientSecret | undefined {
  const sealed = readSealedSecret(value);
  if (!sealed || !isRecord(value)) return undefined;
  const { secretId, enteredAt, expiresAt } = value;
  if (typeof secretId !== 'string' || typeof enteredAt !== 'string' || typeof expiresAt !== 'string') return undefined;
  return { companyId, connectionId, secretId, enteredAt, expiresAt, ...sealed };
}

export function secretsOfConnection(held: Connection): HeldSecrets<Connection> {
  const { credential, tenantId = '' } = held;
  const { clientId, secrets = [] } = credential;
  return {
    secrets: secrets.map((secret) => ({ place: placeOfClientSecret(secret, { tenantId, clientId }), secret })),
    with: (next) => ({
      ...held,
      credential: { ...credential, secrets: secrets.map((secret, index) => ({ ...secret, ...next[index] })) },
    }),
  };
}
