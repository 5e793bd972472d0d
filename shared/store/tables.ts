// What the operations need of the world. Each interface is as narrow as its users. No implementation here.
//
// Our own store and queue being away is not an answer but an exception (`StoreUnavailable`): no operation can decide
// anything without them, and the edge turns it into "try again" for callers and into back-off for messages. What a
// provider answers is always a Result.
import type { KeyObject } from 'node:crypto';
import type { Seal } from '../domain/company-key.ts';
import type { ExportRecipient } from '../domain/export-recipient.ts';
import type { Failure } from '../domain/failure.ts';
import type { VaultKey, VaultTarget } from '../domain/provider.ts';
import type { Result } from '../domain/result.ts';
import type { WorkMessage } from '../domain/work-message.ts';

export { StoreUnavailable } from '../domain/store-unavailable.ts';

// ---- Table Storage -------------------------------------------------------------------------------------------------

export type TableName = 'companies' | 'datakeys' | 'vaultkeys' | 'requests' | 'agenda' | 'events' | 'health';

/** Numbers are finite; times are ISO 8601 texts. A cell that is undefined is not written. */
export type Cell = string | number | boolean | Uint8Array;
export type Cells = Readonly<Record<string, Cell | undefined>>;

export interface StoredRow {
  readonly rowKey: string;
  readonly etag: string;
  readonly cells: Cells;
}

export type RowWrite =
  | { readonly kind: 'insert'; readonly rowKey: string; readonly cells: Cells }
  | { readonly kind: 'replace'; readonly rowKey: string; readonly cells: Cells; readonly etag: string }
  /** Cells not named stay as they are. With no cells it changes nothing and only demands that the ETag still holds. */
  | { readonly kind: 'merge'; readonly rowKey: string; readonly cells: Cells; readonly etag: string }
  | { readonly kind: 'delete'; readonly rowKey: string; readonly etag: string };

export type WriteOutcome =
  /** The new ETag of each row, in the order of the writes; empty text for a delete. */
  | { readonly outcome: 'committed'; readonly etags: readonly string[] }
  /** Nothing was written. `index` is the write that could not be done: insert of a row that exists, or another's ETag. */
  | { readonly outcome: 'conflict'; readonly index: number; readonly reason: 'exists' | 'changed' | 'missing' }
  /** The answer was lost: all of it was written or nothing was. Read the rows: they say who wrote them. */
  | { readonly outcome: 'unknown' };

export const MAX_WRITES_PER_TRANSACTION = 100;

export interface RowPage {
  readonly rows: readonly StoredRow[];
  /** Present if there is more, also when `rows` is empty. */
  readonly continuation?: string;
}

export interface Tables {
  /** Undefined if there is none. Throws StoreUnavailable. */
  read(table: TableName, partitionKey: string, rowKey: string): Promise<StoredRow | undefined>;
  /**
   * In the order of row keys: `after` and `before` exclusive, `from` and `to` inclusive, at most `limit` (up to 1,000) a page. Throws
   * StoreUnavailable.
   */
  list(query: {
    readonly table: TableName;
    readonly partitionKey: string;
    readonly after?: string;
    readonly before?: string;
    readonly from?: string;
    readonly to?: string;
    readonly limit: number;
    readonly continuation?: string;
  }): Promise<RowPage>;
  /** One transaction within one partition, 1 to 100 writes, each row once. Never throws for a conflict. */
  write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome>;
}

/** The store's own clock, which all hosts share. */
export interface StoreClock {
  /** How far it was ahead of this process's clock at its last answer, in ms, to a second or as long as the answer took; negative if behind. Undefined if it has not told. */
  aheadMs(): number | undefined;
}

// ---- Key vaults ----------------------------------------------------------------------------------------------------

export interface KeyVaults {
  /** The key's newest version, or the one named. One `get`. */
  readKey(target: VaultTarget, version?: string): Promise<Result<VaultKey, Failure>>;
  /** RSA-OAEP-256 by exactly the version that `keyId` names; the reply must name it too. One `unwrapKey`. */
  unwrap(
    target: VaultTarget,
    wrapped: { readonly keyId: string; readonly ciphertext: string },
  ): Promise<Result<Uint8Array, Failure>>;
}

/** The steps before a key can be read, one by one, for a connection test. */
export interface ConnectionProbe {
  /** DNS, TCP and TLS. Sends no request. */
  reach(host: string): Promise<Result<void, Failure>>;
  /** The Entra tenant that the vault's own 401 challenge names. Sends no token. */
  challengedTenant(host: string): Promise<Result<string, Failure>>;
  /** A token for the vault's audience from that tenant. `principalId` is the token's `oid`. */
  obtainToken(target: VaultTarget): Promise<Result<{ readonly principalId: string }, Failure>>;
}

/** The vendor's seal key. */
export interface Sealer {
  /** One `sign` call. */
  sign(bytes: Uint8Array): Promise<Result<Seal, Failure>>;
  /** The version that `sign` names from now on, asked for anew: what a process knows may be some minutes old. */
  newestVersion(): Promise<Result<string, Failure>>;
  /** The public key of one version, from the configured vault and name only, asked for every few minutes. Undefined if there is none such, or if it may not be used. */
  publicKey(keyVersion: string): Promise<Result<KeyObject | undefined, Failure>>;
}

/** Encrypts what leaves for somebody outside. Keeps nothing of it. */
export interface ExportSealer {
  /** A JWE (RFC 7516) in its compact form, for the recipient alone. The caller overwrites `content`. */
  seal(content: Uint8Array, recipient: ExportRecipient): Promise<string>;
}

// ---- Callers' tokens -------------------------------------------------------------------------------------------------

export interface VerifiedToken {
  /** Stable and unique across issuers: who the token was issued to. */
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** `invalid`: the token is worth nothing; `reason` never repeats any of it. `unavailable`: its issuer's keys cannot be had. */
export type TokenProblem = { readonly type: 'invalid'; readonly reason: string } | { readonly type: 'unavailable' };

export interface TokenVerifier {
  verify(token: string): Promise<Result<VerifiedToken, TokenProblem>>;
}

// ---- Administrators who sign in ------------------------------------------------------------------------------------------

/** One sign-in, as its own browser began it. Everything but the redirect URI is made for it alone and used once. */
export interface SignInRequest {
  /** Ours, from the settings: what a request says of its own host is not asked. */
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** RFC 7636: 43 to 128 of `A-Z a-z 0-9 - . _ ~`. Only its hash leaves before the code comes back. */
  readonly codeVerifier: string;
}

export interface SignInCallback extends SignInRequest {
  /** What stood behind the `?` of the redirect back, as it came. */
  readonly query: string;
}

/** Proved by an ID token whose signature, issuer, audience, times and nonce were verified. What it entitles to is decided elsewhere. */
export interface MicrosoftPerson {
  /** Lower case, as `objectId` is. */
  readonly tenantId: string;
  readonly objectId: string;
  /** For pages and records. Never a proof: it can be chosen. */
  readonly displayName: string;
  /** `wids`: template ids of the directory roles in force. Absent if the claim is. */
  readonly roleTemplateIds?: readonly string[];
  /** `auth_time`: when they last showed who they are. Absent if the claim is. */
  readonly authenticatedAt?: Date;
}

export interface GooglePerson {
  readonly subject: string;
  /** For pages and records. */
  readonly email: string;
  /** `hd`, lower case: the Workspace. Absent for private accounts, of which the directory is not asked. */
  readonly domain?: string;
  /** What the Workspace's own directory says of them. */
  readonly isSuperAdmin: boolean;
  readonly isDelegatedAdmin: boolean;
  /** The Workspace itself, told to its Super Admins. */
  readonly workspace?: GoogleWorkspace;
  /** `auth_time`, where the vendor has Google tell it. */
  readonly authenticatedAt?: Date;
}

export interface GoogleWorkspace {
  /** Google's own id of its customer: another for each Workspace, whatever its domain. */
  readonly customerId: string;
  /** Somebody has shown Google that the domain is theirs. An e-mail address of the domain is enough to have a Workspace. */
  readonly isDomainProved: boolean;
}

/** Sends people to Microsoft and Google and reads what comes back. Keeps no token and no person. */
export interface SignIns {
  /** Where a tenant's administrator installs the connector app. What comes back from there proves nothing. */
  adminConsentUrl(request: { readonly tenantId: string; readonly redirectUri: string; readonly state: string }): string;
  /** At the tenant's own authority, by its own metadata: fails if Entra knows no such tenant. */
  microsoftUrl(request: SignInRequest & { readonly tenantId: string }): Promise<Result<string, Failure>>;
  /** Redeems the code, once; a second time Entra refuses it. */
  redeemMicrosoft(callback: SignInCallback & { readonly tenantId: string }): Promise<Result<MicrosoftPerson, Failure>>;
  googleUrl(request: SignInRequest & { readonly domain: string }): Promise<Result<string, Failure>>;
  redeemGoogle(callback: SignInCallback): Promise<Result<GooglePerson, Failure>>;
}

// ---- The rest ------------------------------------------------------------------------------------------------------

export interface WorkQueue {
  /** Each call sends a message of its own: duplicate detection never swallows it. Throws StoreUnavailable. */
  send(messages: readonly WorkMessage[], options?: { readonly delayMs?: number }): Promise<void>;
}

export interface Clock {
  now(): Date;
}

export interface Timers {
  sleep(delayMs: number): Promise<void>;
  /**
   * Waits until whatever else this process has to do was done, and lets one go on at a time: to be asked for before each stretch of
   * work that keeps the processor busy for milliseconds, so that nobody waits behind more than one of them.
   */
  yield(): Promise<void>;
}

export interface Entropy {
  bytes(count: number): Uint8Array;
  /** A new id, sortable by time (UUID version 7). */
  id(): string;
}

export interface LogEntry {
  readonly level: 'info' | 'warning' | 'error';
  /** A stable name: `switch.completed`, `row.forged`. */
  readonly event: string;
  /** Never a secret, plaintext key or token. */
  readonly detail?: Readonly<Record<string, string | number | boolean | undefined>>;
}

export interface Log {
  write(entry: LogEntry): void;
}
