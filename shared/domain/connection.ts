// How one customer vault key is reached. Pure.
import type { Seal } from './company-key.ts';
import type { FailureCode, FailureFacts } from './failure.ts';
import type { Grant } from './propagation.ts';
import { credentialName, type Credential, type ProviderRef, type VaultTarget } from './provider.ts';

export interface ConnectionPlace {
  readonly companyId: string;
  readonly connectionId: string;
}

export interface Consent {
  readonly grantedAt: string;
  /** Who granted it: `tenant/object id`. */
  readonly adminId: string;
  readonly seal: Seal;
}

/** An administrator of the vault's new tenant consented to the connector app. Proves nothing about the key: `completeMove` does. */
export interface Move extends Consent {
  readonly tenantId: string;
}

export interface Connection {
  readonly connectionId: string;
  /** Its name. Only the provider knows how the key is reached. */
  readonly provider: string;
  readonly host: string;
  readonly keyName: string;
  /** Absent until the vault's challenge has named it. Pinned from then on, unless a vault in force is moved to another tenant. */
  readonly tenantId?: string;
  /** Tenants that the vault belonged to before it was moved: what was wrapped then still opens. Sealed. */
  readonly movedFrom?: readonly string[];
  readonly credential: Credential;
  readonly seal: Seal;
  /** Keyrings and unfinished switches that depend on it: `keyring|k`, `switch|k|id`. */
  readonly usedBy: readonly string[];
  readonly createdAt: string;
  /** When an admin last said that the role was assigned; a denial within ten minutes of it may be propagation. */
  readonly roleAssignedAt?: string;
  /** An administrator of the tenant let the connector app use exactly this key. Void if vault, key, tenant or app change. */
  readonly consent?: Consent;
  /** For a vault in force that was moved, until the key in the new tenant has opened what is in use. */
  readonly move?: Move;
  /** True once the key has been read: a later 404 then means "deleted", not "mistyped". */
  readonly keySeen: boolean;
  /** Why the last test failed; absent if it passed or only waits for a grant to arrive. */
  readonly testFailed?: FailureCode;
  /** Which end of which client secret was told of last: its id and days. */
  readonly expiryTold?: string;
}

/** Whether both sign in as the same app in the same way, whatever secrets they show. */
export const sameApp = (a: Credential, b: Credential): boolean => a.kind === b.kind && a.clientId === b.clientId;

export const sameCredential = (a: Credential, b: Credential): boolean => credentialName(a) === credentialName(b);

/** Whether company keys are wrapped by its key. An unfinished switch does not count. */
export const isInForce = ({ usedBy }: Pick<Connection, 'usedBy'>): boolean =>
  usedBy.some((user) => user.startsWith('keyring|'));

const isOnlyInSwitch = (connection: Pick<Connection, 'usedBy'>): boolean =>
  connection.usedBy.length > 0 && !isInForce(connection);

/** Facts for the words of a failure: if something depends on the connection, its input was not typed just now. */
export const factsOfUse = (connection: Connection): FailureFacts => ({
  vaultHost: connection.host,
  keyName: connection.keyName,
  appId: connection.credential.clientId,
  keySeen: connection.keySeen,
  ...(connection.usedBy.length === 0 ? {} : { inUse: true }),
  ...(isOnlyInSwitch(connection) ? { onlyInSwitch: true } : {}),
  ...(connection.tenantId === undefined ? {} : { tenantId: connection.tenantId }),
});

export const refOfConnection = ({ provider, connectionId }: Connection): Required<ProviderRef> => ({
  provider,
  connectionId,
});

/** The key behind a connection; undefined while its tenant is unknown. */
export function targetOfConnection(connection: Connection): VaultTarget | undefined {
  if (connection.tenantId === undefined) return undefined;
  return {
    ref: refOfConnection(connection),
    host: connection.host,
    keyName: connection.keyName,
    tenantId: connection.tenantId,
    credential: connection.credential,
    ...(connection.movedFrom === undefined ? {} : { movedFrom: connection.movedFrom }),
    ...(isOnlyInSwitch(connection) ? { onlyInSwitch: true } : {}),
    ...grantOf(connection),
  };
}

/** The same key in the tenant that it was moved to; undefined unless an administrator there consented within `consentMs`. */
export function targetOfMove(
  connection: Connection,
  { now, consentMs }: { readonly now: Date; readonly consentMs: number },
): VaultTarget | undefined {
  const target = targetOfConnection(connection);
  const { move } = connection;
  if (!target || !move || !isInForce(connection)) return undefined;
  // An unreadable time is not recent.
  const isRecent = now.getTime() - Date.parse(move.grantedAt) <= consentMs;
  return isRecent ? { ...target, tenantId: move.tenantId, ...grantOf(connection) } : undefined;
}

/** The connection with the new tenant pinned and its administrator's consent in force. The caller seals it again. */
export function moved(connection: Connection, move: Move): Omit<Connection, 'seal' | 'consent'> {
  const { consent: _void, seal: _before, move: _done, testFailed: _outcome, movedFrom = [], ...kept } = connection;
  const before = [...movedFrom, ...(connection.tenantId === undefined ? [] : [connection.tenantId])];
  return {
    ...kept,
    tenantId: move.tenantId,
    movedFrom: [...new Set(before)].filter((tenantId) => tenantId !== move.tenantId),
  };
}

/** Whether the vault is, or was, `named`'s: what was wrapped then is this connection's. */
export const hasBeenOf = (
  { tenantId, movedFrom = [] }: Pick<Connection, 'tenantId' | 'movedFrom'>,
  named: string,
): boolean => named === tenantId || movedFrom.includes(named);

/**
 * `consentedAt`: the latest consent, in this tenant or the one it was moved to. `grantedAt`: the later of that and of when an admin reported that
 * the role was assigned.
 */
export function grantOf({ roleAssignedAt, consent, move }: Connection): Grant {
  const consentedAt = latestOf(consent?.grantedAt, move?.grantedAt);
  const grantedAt = latestOf(consentedAt, roleAssignedAt);
  return {
    ...(grantedAt === undefined ? {} : { grantedAt }),
    ...(consentedAt === undefined ? {} : { consentedAt }),
  };
}

/** ISO 8601 times compare as texts. */
const latestOf = (...times: readonly (string | undefined)[]): string | undefined =>
  times
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
