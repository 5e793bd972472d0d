// How one customer vault key is reached. Pure.
import type { Seal } from './company-key.ts';
import type { FailureCode } from './failure.ts';
import type { VaultTarget } from './provider.ts';

/** `federated`: the multitenant Entra app whose credential is a managed identity; there is no secret. */
export interface FederatedCredential {
  readonly kind: 'federated';
  /** Application (client) id of the connector app. */
  readonly clientId: string;
}

export interface Consent {
  readonly grantedAt: string;
  /** Who granted it: `tenant/object id`. */
  readonly adminId: string;
  readonly seal: Seal;
}

export interface Connection {
  readonly connectionId: string;
  readonly host: string;
  readonly keyName: string;
  /** Absent until the vault's own challenge has named it; pinned ever after. */
  readonly tenantId?: string;
  readonly credential: FederatedCredential;
  readonly seal: Seal;
  /** Keyrings and unfinished switches that depend on it: `keyring|k`, `switch|k|id`. */
  readonly usedBy: readonly string[];
  readonly createdAt: string;
  /** When an admin last said that the role was assigned; a denial within ten minutes of it may be propagation. */
  readonly roleAssignedAt?: string;
  /** That an administrator of its tenant let the connector app use this very key. Void if vault, key, tenant or app change. */
  readonly consent?: Consent;
  /** True once the key has been read: a later 404 then means "deleted", not "mistyped". */
  readonly keySeen: boolean;
  /** Why the last test failed; absent if it did not, or only waits for a grant to arrive. */
  readonly testFailed?: FailureCode;
}

/** Whether company keys are wrapped by its key. A switch that is not finished does not count. */
export const isInForce = ({ usedBy }: Pick<Connection, 'usedBy'>): boolean =>
  usedBy.some((user) => user.startsWith('keyring|'));

/** The vault and key behind a connection, or undefined while its tenant is not known. */
export function targetOfConnection(connection: Connection): VaultTarget | undefined {
  if (connection.tenantId === undefined) return undefined;
  return {
    ref: { provider: 'azure-key-vault', connectionId: connection.connectionId },
    host: connection.host,
    keyName: connection.keyName,
    tenantId: connection.tenantId,
    ...grantOf(connection),
  };
}

/** The later of consent and of when an admin said that the role was assigned; ISO times compare as texts. */
export function grantOf(connection: Connection): { readonly grantedAt?: string } {
  const [grantedAt] = [connection.roleAssignedAt, connection.consent?.grantedAt]
    .filter((at) => at !== undefined)
    .sort()
    .reverse();
  return grantedAt === undefined ? {} : { grantedAt };
}
