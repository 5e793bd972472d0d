// What operations and the edge know of people: who calls, which kinds of tenants there are, and how their administrators sign in. Types only.
import type { Failure } from '../domain/failure.ts';
import type { Result } from '../domain/result.ts';
import type { SignedIn } from '../domain/sign-in-link.ts';

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

/** Whom a sign-in is for. */
interface OfTenant {
  readonly tenantId: string;
}

/** One service at which people sign in. A client keeps no token and no person. What a person may do is judged elsewhere. */
export interface SignInClient<Person> {
  /** Where to send the browser. Fails if the service says that there is no such tenant. */
  url(request: SignInRequest & OfTenant): Promise<Result<string, Failure>>;
  /**
   * Redeems the code, once; a second time the service refuses it. The answer is proved by an ID token whose signature, issuer, audience, times and
   * nonce the client verified.
   */
  redeem(callback: SignInCallback & OfTenant): Promise<Result<Person, Failure>>;
}

/** How administrators of one kind of tenants sign in. */
export interface TenantSignIn extends Pick<SignInClient<never>, 'url'> {
  /**
   * Redeems the code, once. Answers who may speak for the tenant; refuses everybody else, and a person who did not sign in for this: not since the
   * browser was sent there.
   */
  identify(callback: SignInCallback & OfTenant & { readonly since: Date }): Promise<Result<SignedIn, Failure>>;
}

/** Where an administrator of a tenant that owns a vault accepts the connector app. What comes back proves nothing: a sign-in follows. */
export interface AdminConsent {
  url(request: OfTenant & { readonly redirectUri: string; readonly state: string }): string;
  /** Why the browser comes back without acceptance, as far as the query tells. */
  refusalIn(query: string, tenantId: string): Failure | undefined;
  /** What a refusal means minutes after acceptance: it may still be on its way. */
  excuseFresh(found: Failure): Failure;
}

export interface SignIns {
  /** One for each registered kind of tenants. */
  of(kind: string): TenantSignIn;
  /** Of the one kind whose tenants own vaults. */
  readonly consent: AdminConsent;
}

/** A kind of tenants that can be found in a company's data. Adding one: a folder, a line in the registry, and its client in registry/sign-in-clients.ts. */
export interface TenantKind {
  /** In the API and in stored rows. */
  readonly name: string;
  readonly words: TenantWords;
  /** The form of its ids, for the API's description. */
  readonly idPattern: RegExp;
  /** The id as it is stored and compared, or what is wrong with it. */
  parseId(typed: string): Result<string, string>;
  /** The person who signed in is no administrator of this tenant. */
  notItsAdmin(tenantId: string): Failure;
  /** Of kinds whose ids can come to another owner. */
  readonly pin?: PinRule;
}

/** The first verification pins the owner of the id. From then on only this owner may speak for the tenant. */
export interface PinRule {
  /** Undefined if the owner who speaks is the pinned one, or the first. */
  judge(owner: {
    readonly tenantId: string;
    readonly pinned: string | undefined;
    readonly speaks: string | undefined;
  }): Failure | undefined;
}

/** How pages and the API's description call a kind of tenants. */
export interface TenantWords {
  /** The service at which its administrators sign in. */
  readonly service: string;
  readonly tenant: string;
  /** What its ids are, for the API's description. */
  readonly id: string;
  /** Who alone can answer: `article` roles `place` id. `note` */
  readonly speaker: {
    readonly article: string;
    readonly roles: readonly string[];
    readonly place: string;
    readonly note: string;
  };
  /** What the sign-in shows, and what it does not give. */
  readonly signIn: string;
}
