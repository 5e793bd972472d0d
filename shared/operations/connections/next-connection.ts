// What a put makes of a connection: as it is typed, with what stays of the one that is held. Pure.
import { sameApp, type Connection } from '../../domain/connection.ts';
import type { Credential } from '../../domain/provider.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { isHostedByVendor } from '../../identity/registry/tenant-kinds.ts';
import type { WantedConnection } from '../../providers/provider.ts';

const isSameKey = (held: Connection, wanted: WantedConnection): boolean =>
  held.provider === wanted.provider && held.host === wanted.host && held.keyName === wanted.keyName;

/** Of a connection that is there only what is new of it: a secret that runs out can be replaced. */
export function featuresAsked(held: Connection | undefined, wanted: WantedConnection): readonly string[] {
  const { credential } = wanted;
  const samePlace = held !== undefined && isSameKey(held, wanted);
  return [
    ...(samePlace ? [] : ['customer-keys']),
    ...(samePlace && held.credential.kind === credential.kind ? [] : [credential.kind]),
  ];
}

type Unsealed = Omit<Connection, 'seal'>;

/** Without the secret that was typed. */
const placeOf = ({ secret: _typed, ...wanted }: WantedConnection): Omit<WantedConnection, 'secret'> => wanted;

export const made = (id: string, wanted: WantedConnection, credential: Credential, createdAt: string): Unsealed => ({
  connectionId: id,
  ...placeOf(wanted),
  credential,
  usedBy: [],
  createdAt,
  keySeen: false,
});

/** The connection as wanted, or itself. What was learnt of another vault, key or app is forgotten; consent is to be given anew. */
export function changed(held: Connection, wanted: WantedConnection, credential: Credential): Result<Unsealed, Refusal> {
  const samePlace = isSameKey(held, wanted);
  const sameTenant = wanted.tenantId === undefined || held.tenantId === wanted.tenantId;
  const isSameApp = sameApp(held.credential, credential);
  const samePromise = isHostedByVendor(held.credential) === isHostedByVendor(wanted.credential);
  if (held.usedBy.length > 0 && !(samePlace && sameTenant && samePromise)) return err(inUse(held));
  if (held.tenantId !== undefined && !sameTenant) {
    return err({
      type: 'invalid',
      target: 'body.tenantId',
      message: 'The tenant of a connection stays the same once it is known. Delete the connection and create it anew.',
    });
  }
  if (samePlace && sameTenant && isSameApp)
    return ok(held.credential === credential ? held : withoutOutcome({ ...held, credential }));
  const { roleAssignedAt, consent: _void, move: _under, testFailed: _outcome, keySeen, movedFrom, ...kept } = held;
  return ok({
    ...kept,
    ...placeOf(wanted),
    credential,
    ...(samePlace && movedFrom !== undefined ? { movedFrom } : {}),
    keySeen: samePlace && keySeen,
    ...(samePlace && isSameApp && roleAssignedAt !== undefined ? { roleAssignedAt } : {}),
  });
}

export const inUse = ({ connectionId, usedBy }: Connection): Refusal => ({
  type: 'state',
  code: 'connection-in-use',
  message: `The connection '${connectionId}' is used by ${usedBy.length === 1 ? 'a keyring or switch' : `${usedBy.length} keyrings or switches`}: only its credential can change.`,
});

/** A connection without consent opens nothing, and consent to one in force would come after it was changed. */
export const takesConsentFirst = ({ connectionId }: Connection): Refusal => ({
  type: 'state',
  code: 'connection-in-use',
  message: `The connection '${connectionId}' is in force without the consent that the vendor's app takes: make a second connection to the key, have it consented to, and switch to it.`,
});

/** A failed test of another secret says nothing about this one. */
const withoutOutcome = ({ testFailed: _outcome, ...connection }: Connection): Unsealed => connection;
