// Where a key-encryption key can live, as operations see it. Each place is a folder with this one interface; what it answers is always a Result.
import type { Connection } from '../domain/connection.ts';
import { failure } from '../domain/failures.ts';
import type { Failure, FailureFacts } from '../domain/failure.ts';
import type { ExcuseRecentGrant } from '../domain/propagation.ts';
import type { KeyPlace, KeyTarget, ProviderRef } from '../domain/provider.ts';
import type { Refusal } from '../domain/refusal.ts';
import { err, type Result } from '../domain/result.ts';

/** What is typed of a connection. Each provider knows its own fields, and judges them. */
export interface ConnectionInput {
  /** By name; without it, the first that has connections. */
  readonly provider?: string;
  readonly [field: string]: unknown;
}

export type WantedConnection = Pick<Connection, 'provider' | 'host' | 'keyName' | 'tenantId' | 'credential'>;

/** How people know a key: in failures, in the record, on pages. */
export interface KeyDescription {
  readonly vaultHost: string;
  readonly keyName: string;
}

/** One version of a key as its provider says it is, and whether it is fit for what it is to do. */
export interface ReadKey {
  /** Names this version and no other: what it wraps is unwrapped by exactly this one. */
  readonly keyId: string;
  readonly denials: readonly Failure[];
  readonly warnings: readonly Failure[];
}

export interface Wrapped {
  readonly keyId: string;
  /** By which the provider knows how it wrapped; sealed with the rest. */
  readonly algorithm: string;
  /** base64url */
  readonly ciphertext: string;
}

/** What is known of a key's use where a refusal is met. Without a connection or a version: of a key in force. */
export interface KeyUse {
  readonly connection?: Connection;
  /** The version that was asked for. */
  readonly keyId?: string;
  /** Known better than by the connection. */
  readonly facts?: FailureFacts;
}

/** What an administrator of the key has to do, filled in. */
export interface Instruction {
  readonly id: 'service-principal' | 'role' | 'least-role' | 'access-policy' | 'take-away';
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

/** The steps before a key can be read, one by one, for a connection test. */
export interface KeyProbe {
  /** The way there. Sends no request. */
  reach(key: KeyPlace): Promise<Result<void, Failure>>;
  /** Whose the key is, by its own word: a tenant, in lower case. Refused if the key is pinned to another. Sends no token. */
  owner(key: KeyPlace & { readonly tenantId?: string }): Promise<Result<string, Failure>>;
  /** Whether its owner lets us in. `principalId`: as whom. */
  enter(target: KeyTarget): Promise<Result<{ readonly principalId: string }, Failure>>;
}

/** What a provider says of a key without asking anybody. */
export interface KeyWords {
  readonly name: string;
  /** Its key is the vendor's own, to which no connection leads. */
  readonly isVendors: boolean;
  /** Judged before anything is sent anywhere. */
  parse(input: ConnectionInput): Result<WantedConnection, Refusal>;
  /** Whether a connection may lead there today: what is allowed may have changed since it was typed. */
  admits(connection: Pick<Connection, 'host' | 'keyName' | 'credential'>): Result<void, Failure>;
  describe(key: KeyPlace): KeyDescription;
  /** Whether `keyId` names a version of this key. */
  isVersion(key: KeyPlace, keyId: string): boolean;
  /** What a refusal means for a key that is used so. */
  explain(found: Failure, use: KeyUse): Failure;
  readonly excuse: ExcuseRecentGrant;
  /** It answers for another key, or with other bytes than it was given. */
  substituted(key: KeyPlace, detail?: string): Failure;
  /** It is not, or not any more, its connection's owner's. */
  otherOwner(detail?: string): Failure;
  instructions(connection: Connection): readonly Instruction[];
  /** The command that lets the app use the key, as the principal that it is there; undefined, or absent, where no command does. */
  grant?(key: KeyTarget, app: { readonly appId: string; readonly principalId?: string }): string | undefined;
}

export interface KeyProvider extends KeyWords {
  readonly probe: KeyProbe;
  /** The newest version, or the one named, judged. `in-force`: company keys are wrapped by it already. One call. */
  read(target: KeyTarget, options: ReadOptions): Promise<Result<ReadKey, Failure>>;
  /** Under the version that was read, here or by a call. */
  wrap(target: KeyTarget, key: ReadKey, companyKey: Uint8Array): Promise<Result<Wrapped, Failure>>;
  /** By exactly the version that wrapped. One call. */
  unwrap(target: KeyTarget, wrapped: Wrapped): Promise<Result<Uint8Array, Failure>>;
}

export interface ReadOptions {
  readonly purpose: 'test' | 'in-force';
  readonly keyId?: string;
}

/** The providers as far as they say anything without asking anybody. */
export interface KnownProviders {
  /** The vendor's own key, which the settings name: new keyrings are protected by it. */
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
    otherOwner: () => missing.error,
    instructions: () => [],
    probe: { reach: refuse, owner: refuse, enter: refuse },
    read: refuse,
    wrap: refuse,
    unwrap: refuse,
  };
}
