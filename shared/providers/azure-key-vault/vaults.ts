// What is asked of key vaults: one request each, which a signal ends early, and the steps on the way there. Implemented by client/, and in memory for tests.
import type { Failure } from '../../domain/failure.ts';
import type { Credential, Deletion, VaultKey, VaultTarget } from '../../domain/provider.ts';
import type { FederationShown } from '../provider.ts';
import type { Result } from '../../domain/result.ts';

export interface KeyVaults {
  /** The key's newest version, or the one named. One `get`. */
  readKey(target: VaultTarget, version?: string, signal?: AbortSignal): Promise<Result<VaultKey, Failure>>;
  /** Whether the vault keeps the key as a deleted one; undefined if it does not. Needs the right that `readKey` needs. One `get`. */
  readDeleted(target: VaultTarget, signal?: AbortSignal): Promise<Result<Deletion | undefined, Failure>>;
  /** RSA-OAEP-256 by exactly the version that `keyId` names; the reply must name it too. One `unwrapKey`. */
  unwrap(
    target: VaultTarget,
    wrapped: { readonly keyId: string; readonly ciphertext: string },
    signal?: AbortSignal,
  ): Promise<Result<Uint8Array, Failure>>;
}

export interface ConnectionProbe {
  /** Refused if this deployment does not know the kind. Sends nothing. */
  admits(credential: Credential): Result<void, Failure>;
  /** Undefined for a credential that shows a secret, and while the app's own identity gives no token. */
  federationShown(credential: Credential): Promise<FederationShown | undefined>;
  /** DNS, TCP and TLS. Sends no request. */
  reach(host: string): Promise<Result<void, Failure>>;
  /** The Entra tenant that the vault's own 401 challenge names. Sends no token. */
  challengedTenant(host: string): Promise<Result<string, Failure>>;
  /** A token for the vault's audience from that tenant. `principalId` is the token's `oid`. */
  obtainToken(target: VaultTarget): Promise<Result<{ readonly principalId: string }, Failure>>;
}
