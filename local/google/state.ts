// What Google remembers while people sign in: who waits on which page, codes, and access tokens with their scopes.
import type { TokenSigner } from '../entra/token-signer.ts';
import type { BrowserSessions } from '../oidc/browser-sessions.ts';
import type { PlannedTokens } from '../oidc/planned-tokens.ts';
import type { ShortLived } from '../oidc/short-lived.ts';
import type { Accounts, GoogleUser, OAuthClient } from './model.ts';

export interface AuthRequest {
  readonly client: OAuthClient;
  readonly redirectUri: string;
  readonly scope: string;
  readonly state: string | undefined;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly offline: boolean;
  /** The `hd` of the request: a hint which accounts to show, and no more than that. */
  readonly domainHint: string | undefined;
  readonly loginHint: string;
  readonly user?: GoogleUser;
  readonly signedInAtMs?: number;
}

export interface GoogleCode extends AuthRequest {
  readonly user: GoogleUser;
  /** When they last signed in to their account in this browser. */
  readonly signedInAtMs: number;
}

export interface AccessToken {
  readonly email: string;
  readonly scope: string;
}

export interface GoogleState {
  readonly accounts: Accounts;
  readonly signer: TokenSigner;
  readonly idTokens: PlannedTokens;
  readonly requests: ShortLived<AuthRequest>;
  readonly codes: ShortLived<GoogleCode>;
  readonly accessTokens: ShortLived<AccessToken>;
  readonly sessions: BrowserSessions;
  readonly settings: { tokenLifetimeSeconds: number; codeLifetimeSeconds: number };
}
