// Every kind of credential, a line each, and the tokens that they got: by credential and tenant, so that no token of one can be had through another.
import type { AccessToken, TokenCredential } from '@azure/identity';
import { LRUCache } from 'lru-cache';
import type { Failure } from '../../../domain/failure.ts';
import { failure } from '../../../domain/failures.ts';
import type { Clock } from '../../../domain/ports.ts';
import { credentialName, type Credential } from '../../../domain/provider.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { TokenCache } from '../../client/token-cache.ts';
import type { CredentialKind, CredentialParts } from './credential.ts';
import { clientSecret } from './client-secret.ts';
import { assertionOf, federated } from './federated.ts';
import { OWN_IDENTITY, ownIdentity, OwnIdentity } from './own-identity.ts';
import { vendorHosted } from './vendor-hosted.ts';

type MakeKind = (parts: CredentialParts) => CredentialKind;

const KINDS: readonly MakeKind[] = [federated, clientSecret, ownIdentity, vendorHosted];

interface CredentialsOptions extends Omit<CredentialParts, 'identity'> {
  /** Client id of the user-assigned managed identity. */
  readonly identityClientId: string;
  /**
   * For how long a tenant's token may be used: the time within which it is to be felt that the tenant has withdrawn consent or removed the app.
   * Key Vault itself does not see that.
   */
  readonly tenantTokenMaxAgeMs: number;
  readonly clock: Clock;
}

/** Some 40 KB each; one that was forgotten costs a token when it is met again. */
const MAX_TENANTS = 500;
/** A token that a vault denies may name a service principal that is gone; how old it must be to be worth another. */
const FORGET_AFTER_MS = 60_000;

interface TenantTokens {
  readonly tokens: TokenCache;
  readonly madeAtMs: number;
}

export class Credentials {
  readonly #options: CredentialsOptions;
  readonly #identity: OwnIdentity;
  readonly #parts: CredentialParts;
  readonly #kinds: readonly CredentialKind[];
  readonly #tenants = new LRUCache<string, TenantTokens>({ max: MAX_TENANTS });
  /** By which the vendor's own vaults are reached. */
  readonly own: Credential;

  /** `others`: of a registry that knows more. */
  constructor(options: CredentialsOptions, others: readonly MakeKind[] = []) {
    this.#options = options;
    this.#identity = new OwnIdentity(options);
    this.#parts = { ...options, identity: this.#identity };
    this.#kinds = [...KINDS, ...others].map((make) => make(this.#parts));
    this.own = { kind: OWN_IDENTITY, clientId: options.identityClientId };
  }

  forTables(): TokenCredential {
    return this.#identity.forTables();
  }

  forServiceBus(): TokenCredential {
    return this.#identity.forServiceBus();
  }

  assertion(): Promise<Result<string, Failure>> {
    return assertionOf(this.#parts);
  }

  /** Refused if this deployment does not know its kind. Sends nothing. */
  admits(credential: Credential): Result<void, Failure> {
    return this.#kind(credential) ? ok(undefined) : err(unknownKind(credential));
  }

  /** One credential's tokens in one tenant. */
  tokens(credential: Credential, tenantId: string): TokenCache {
    const name = nameOf(credential, tenantId);
    const held = this.#tenants.get(name);
    if (held) return held.tokens;
    const kind = this.#kind(credential);
    const fetch = kind?.tokensIn(tenantId, credential) ?? (() => Promise.resolve(err(unknownKind(credential))));
    const { clock, tenantTokenMaxAgeMs: maxAgeMs } = this.#options;
    const tokens = new TokenCache(fetch, clock, kind?.isLetInByTenant === false ? {} : { maxAgeMs });
    this.#tenants.set(name, { tokens, madeAtMs: this.#nowMs() });
    return tokens;
  }

  /**
   * Lets go of a tenant's token after a vault denied it: an app that was removed and installed again has a new service
   * principal, and the role is assigned to that. Not more than once a minute, so that denials cost no token each.
   */
  forget(credential: Credential, tenantId: string): void {
    const held = this.#tenants.get(nameOf(credential, tenantId));
    if (held && this.#nowMs() - held.madeAtMs >= FORGET_AFTER_MS) this.#letGo(credential, tenantId);
  }

  /** A new token, whatever is cached: it proves that the app is installed in the tenant now. It serves later calls too. */
  freshToken(credential: Credential, tenantId: string, scope: string): Promise<Result<AccessToken, Failure>> {
    this.#letGo(credential, tenantId);
    return this.tokens(credential, tenantId).token(scope);
  }

  /** A token that no tenant can withdraw stays: another would say the same. */
  #letGo(credential: Credential, tenantId: string): void {
    if (this.#kind(credential)?.isLetInByTenant === true) this.#tenants.delete(nameOf(credential, tenantId));
  }

  #kind({ kind }: Credential): CredentialKind | undefined {
    return this.#kinds.find((known) => known.kind === kind);
  }

  #nowMs(): number {
    return this.#options.clock.steadyMs();
  }
}

/** A secret that was replaced, or wrapped anew, takes its tokens with it: they are asked for by the secret as it was when they got their name. */
const nameOf = (credential: Credential, tenantId: string): string => `${tenantId} ${credentialName(credential)}`;

const unknownKind = ({ kind }: Credential): Failure =>
  failure('row-forged', { detail: `'${kind}' is no kind of credential of this deployment` });
