// Who calls, and which administrators sign in, as operations and the edge see them. Types only.
import type { Failure } from '../domain/failure.ts';
import type { Result } from '../domain/result.ts';

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
