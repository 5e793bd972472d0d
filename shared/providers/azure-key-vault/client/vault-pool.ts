// Every vault that this process talks to: one connection for each vault, tenant and credential, bounded. Decides by whose
// token a vault is met: the vendor's own with the app's identity, every other by its connection's credential in the pinned tenant.
import type { HttpClient } from '@azure/core-rest-pipeline';
import { LRUCache } from 'lru-cache';
import { failure } from '../words/failures.ts';
import type { Failure, FailureFacts } from '../../../domain/failure.ts';
import { credentialName, type Credential, type VaultTarget } from '../../../domain/provider.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { boundedHttps } from '../../../adapters/https/bounded-https.ts';
import { hostedFacts } from '../words/hosted-vault.ts';
import type { Credentials } from '../../../identity/entra/credentials/credentials.ts';
import { VaultConnection } from './vault-connection.ts';

interface VaultPoolOptions {
  readonly credentials: Credentials;
  /** Application id of the connector app. */
  readonly connectorClientId: string;
  /** `vault.azure.net`: what follows the first label of every vault's host, and names its audience. */
  readonly vaultSuffixes: readonly string[];
  /** For each answer, from the name's lookup to its last byte. */
  readonly timeoutMs: number;
}

const MAX_ANSWER_BYTES = 64 * 1024;
/** Some 40 KB each, with their sockets. */
const MAX_CONNECTIONS = 500;

export class VaultPool {
  readonly #options: VaultPoolOptions;
  /** Also for requests that no SDK client makes. */
  readonly http: HttpClient;
  readonly #connections = new LRUCache<string, VaultConnection>({ max: MAX_CONNECTIONS });

  constructor(options: VaultPoolOptions) {
    this.#options = options;
    this.http = boundedHttps({ maxBytes: MAX_ANSWER_BYTES, timeoutMs: options.timeoutMs });
  }

  get credentials(): Credentials {
    return this.#options.credentials;
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  connection(target: VaultTarget): Result<VaultConnection, Failure> {
    const audience = this.audienceOf(target.host);
    if (!audience.ok) return audience;
    const credential = this.credentialOf(target);
    if (!credential.ok) return credential;
    const { host, tenantId } = target;
    const name = JSON.stringify([credentialName(credential.value), tenantId, host]);
    let connection = this.#connections.get(name);
    if (!connection) {
      const { credentials } = this.#options;
      connection = new VaultConnection({ host, tenantId, audience: audience.value }, this.http, () =>
        credentials.tokens(credential.value, tenantId),
      );
      this.#connections.set(name, connection);
    }
    return ok(connection);
  }

  /** A connection's target that names none is refused: the app's own identity is shown to the vendor's vaults alone. */
  credentialOf({ ref, credential }: VaultTarget): Result<Credential, Failure> {
    if (ref.provider === 'managed') return ok(this.credentials.own);
    if (!credential) return err(failure('row-forged', { detail: 'its connection names no credential' }));
    const admitted = this.credentials.admits(credential);
    return admitted.ok ? ok(credential) : admitted;
  }

  /** `https://vault.azure.net` for `contoso.vault.azure.net`. To a host under no known suffix nothing is ever sent. */
  audienceOf(host: string): Result<string, Failure> {
    const suffix = /^[a-z0-9-]{3,24}\.(.+)$/.exec(host)?.[1];
    if (suffix !== undefined && this.#options.vaultSuffixes.includes(suffix)) return ok(`https://${suffix}`);
    return err(failure('vault-host-not-allowed', { vaultHost: host }));
  }

  /** What is known of a target before anything is asked. */
  facts({ host, keyName, tenantId, ref, credential, onlyInSwitch, isSealKey }: VaultTarget): FailureFacts {
    const known = { vaultHost: host, keyName, tenantId };
    if (ref.provider === 'managed') {
      return { ...known, ownVault: isSealKey === true ? 'seal-key' : 'company-keys' };
    }
    const used = onlyInSwitch === true ? { onlyInSwitch } : {};
    return {
      ...known,
      appId: credential?.clientId ?? this.#options.connectorClientId,
      ...hostedFacts(credential),
      ...used,
    };
  }
}
