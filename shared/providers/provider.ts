// Where a key-encryption key can live, as operations see it. Each place is a folder with this one interface; what it answers is always a Result.
import type { Connection } from '../domain/connection.ts';
import { failure } from '../domain/failures.ts';
import type { Failure, FailureFacts } from '../domain/failure.ts';
import type { ExcuseRecentGrant } from '../domain/propagation.ts';
import type { Credential, KeyDates, KeyPlace, KeyTarget, ProviderRef } from '../domain/provider.ts';
import type { Refusal } from '../domain/refusal.ts';
import { err, type Result } from '../domain/result.ts';

/** What a caller enters for a connection. Each provider has its own fields and checks them. */
export interface ConnectionInput {
  /** The provider's name; without it, the first provider that has connections. */
  readonly provider?: string;
  readonly [field: string]: unknown;
}

export interface WantedConnection extends Pick<
  Connection,
  'provider' | 'host' | 'keyName' | 'tenantId' | 'credential'
> {
  /** Of a credential that shows one; in clear, for as long as it takes to encrypt it. */
  readonly secret?: TypedSecret;
}

/** Without a value, what is stored stays. */
export interface TypedSecret {
  readonly value?: string;
  readonly expiresAt?: string;
  /** Drop what was entered before at once, not only when the new one has worked. */
  readonly dropOlder?: boolean;
}

/** How people know a key: in failures, in the record, on pages. */
export interface KeyDescription {
  readonly vaultHost: string;
  readonly keyName: string;
}

/** One version of a key as its provider says it is, and whether it is fit for what it is to do. */
export interface ReadKey {
  /** Names this version only: what it wraps, exactly this version unwraps. */
  readonly keyId: string;
  readonly dates: KeyDates;
  readonly denials: readonly Failure[];
  readonly warnings: readonly Failure[];
  readonly isHsm?: boolean;
  /** Why nothing new may be wrapped under it, if so; of a key in force too. */
  readonly unfit?: Failure;
}

export interface Wrapped {
  readonly keyId: string;
  /** By which the provider knows how it wrapped; sealed with the rest. */
  readonly algorithm: string;
  /** base64url */
  readonly ciphertext: string;
}

/** What is known about a key's use when it is refused. Without connection or version: a key in force. */
export interface KeyUse {
  readonly connection?: Connection;
  /** The version that was asked for. */
  readonly keyId?: string;
  /** Override the connection's facts. */
  readonly facts?: FailureFacts;
}

/** What an administrator of the key has to do, with the real names filled in. */
export interface Instruction {
  readonly id:
    | 'service-principal'
    | 'app-registration'
    | 'client-secret'
    | 'vault'
    | 'key-manager'
    | 'role'
    | 'least-role'
    | 'access-policy'
    | 'take-away';
  readonly title: string;
  readonly explanation: string;
  /** For a POSIX shell, as in Azure Cloud Shell. */
  readonly azureCli: string;
  readonly powerShell: string;
  /** One step each. */
  readonly portal: readonly string[];
  /** A file, and the command that deploys it. */
  readonly bicep?: { readonly fileName: string; readonly template: string; readonly deploy: string };
}

/** As far as it is known whose it is, and by which credential it is reached. */
export interface OwnedKey extends KeyPlace {
  readonly tenantId?: string;
  readonly credential?: Credential;
}

/** Issuer and subject of the token by which the app proves itself without a secret. */
export interface FederationShown {
  readonly issuer: string;
  readonly subject: string;
}

/** The steps before a key can be read, one by one, for a connection test. */
export interface KeyProbe {
  /** Whether the key's host can be reached. Sends no request. */
  reach(key: KeyPlace): Promise<Result<void, Failure>>;
  /** The tenant that owns the key, in lower case, as its own service names it. Refused if the key is pinned to another. Sends no token. */
  owner(key: OwnedKey): Promise<Result<string, Failure>>;
  /** Whether the owner lets us in. `principalId`: our principal there. */
  enter(target: KeyTarget): Promise<Result<{ readonly principalId: string }, Failure>>;
}

/** What a provider knows about a key without a request to any service. */
export interface KeyWords {
  readonly name: string;
  /** Its key is the vendor's own, which has no connection. */
  readonly isVendors: boolean;
  /** Checks the input before anything is sent. */
  parse(input: ConnectionInput): Result<WantedConnection, Refusal>;
  /** Whether a connection may still lead there: the settings may have changed since it was entered. */
  admits(connection: Pick<Connection, 'host' | 'keyName' | 'credential'>): Result<void, Failure>;
  describe(key: KeyPlace): KeyDescription;
  /** Whether `keyId` names a version of this key. */
  isVersion(key: KeyPlace, keyId: string): boolean;
  /** What a refusal means for a key that is used in this way. */
  explain(found: Failure, use: KeyUse): Failure;
  readonly excuse: ExcuseRecentGrant;
  /** The failure for a service that answers for another key, or returns other bytes than it was given. */
  substituted(key: KeyPlace, detail?: string): Failure;
  /** The warning that the newest version is not followed, and why. */
  notFollowed(key: KeyPlace, why?: string): Failure;
  /** The failure for a key that does not, or no longer, belong to the connection's owner. */
  otherOwner(detail?: string): Failure;
  /** `shown`: by what the app proves itself, if that is known. */
  instructions(connection: Connection, shown?: FederationShown): readonly Instruction[];
  /** What its company must know of how such a key is kept; undefined or absent if there is nothing to say. */
  notice?(key: { readonly credential?: Credential }): string | undefined;
  /** The command that lets the app's principal there use the key; undefined or absent if no command does. */
  grant?(key: KeyTarget, app: { readonly appId: string; readonly principalId?: string }): string | undefined;
}

export interface KeyProvider extends KeyWords {
  readonly probe: KeyProbe;
  /** What the app shows in place of a secret for this credential; undefined if it shows a secret, or none is to be had just now. Nothing is sent to the company. */
  shows?(connection: Pick<Connection, 'credential'>): Promise<FederationShown | undefined>;
  /** Reads and judges the newest version, or the named one. `in-force`: it already wraps company keys. One call, and one more for a key that is not found. */
  read(target: KeyTarget, options: ReadOptions): Promise<Result<ReadKey, Failure>>;
  /** Wraps with the version that was read, locally or by a call. */
  wrap(target: KeyTarget, key: ReadKey, companyKey: Uint8Array): Promise<Result<Wrapped, Failure>>;
  /** Unwraps with exactly the version that wrapped. One call, and one more for a key that is not found. */
  unwrap(
    target: KeyTarget,
    wrapped: Wrapped,
    options?: Pick<ReadOptions, 'signal'>,
  ): Promise<Result<Uint8Array, Failure>>;
}

export interface ReadOptions {
  readonly purpose: 'test' | 'in-force';
  readonly keyId?: string;
  /** Of an RSA key, if that is more than the deployment asks for. */
  readonly minRsaBits?: number;
  /** Ends the call for its asker, who waits no longer. */
  readonly signal?: AbortSignal;
  /** One call, whatever is answered. Without it, of a key that is not found it is asked too whether it was deleted. */
  readonly once?: true;
}

/** The providers, limited to what needs no request to any service. */
export interface KnownProviders {
  /** The vendor's own key, which the settings name: it protects new keyrings. */
  readonly vendor: KeyTarget;
  of(ref: Pick<ProviderRef, 'provider'>): KeyWords;
}

/** Every provider of a process. */
export class Providers implements KnownProviders {
  readonly vendor: KeyTarget;
  readonly #all: readonly KeyProvider[];

  constructor(all: readonly KeyProvider[], vendor: KeyTarget) {
    this.#all = all;
    this.vendor = vendor;
  }

  of({ provider }: Pick<ProviderRef, 'provider'>): KeyProvider {
    return this.#all.find(({ name }) => name === provider) ?? absent(provider);
  }

  /** The provider that a connection is typed for. */
  ofInput({ provider }: ConnectionInput): KeyProvider {
    const first = this.#all.find(({ isVendors }) => !isVendors);
    return this.of({ provider: provider ?? first?.name ?? '' });
  }

  /** The same, each seen through `change`. */
  through(change: (provider: KeyProvider) => KeyProvider): Providers {
    return new Providers(this.#all.map(change), this.vendor);
  }
}

/** Of a name that the registry does not know, as another deployment may have left it: nothing is sent, and nothing is denied. */
function absent(name: string): KeyProvider {
  const missing = err(failure('row-forged', { detail: `'${name}' is no provider of this deployment` }));
  const refuse = (): Promise<typeof missing> => Promise.resolve(missing);
  return {
    name,
    isVendors: false,
    parse: () => err({ type: 'failure', failure: missing.error, target: 'body.provider' }),
    admits: () => missing,
    describe: () => ({ vaultHost: '', keyName: '' }),
    isVersion: () => false,
    explain: (found) => found,
    excuse: (found) => found,
    substituted: () => missing.error,
    notFollowed: () => missing.error,
    otherOwner: () => missing.error,
    instructions: () => [],
    probe: { reach: refuse, owner: refuse, enter: refuse },
    read: refuse,
    wrap: refuse,
    unwrap: refuse,
  };
}
