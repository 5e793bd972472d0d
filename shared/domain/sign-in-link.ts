// A link that asks an administrator to sign in, and the steps of that sign-in. Types only, but for the names of the legs.
import type { Seal } from './company-key.ts';
import type { SignInSubject } from './sign-in-subject.ts';

/** Made by an admin of the company, opened by an administrator of a tenant. */
export interface SignInLink {
  readonly subject: SignInSubject;
  /** Digest of what the subject led to when the link was made: the link is void if that has changed. */
  readonly about: string;
  readonly requestedBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  /** When the administrator did what it asks for. */
  readonly doneAt?: string;
  readonly seal: Seal;
}

/**
 * `admin-consent`: an administrator accepts the app for the whole tenant; proves nothing. `sign-in`: shows who they are. `confirm`: our page asks
 * them once more.
 */
export const SIGN_IN_LEGS = ['admin-consent', 'sign-in', 'confirm'] as const;
export type SignInLeg = (typeof SIGN_IN_LEGS)[number];

/** The person who signed in and may answer the page's question. */
export interface SignedIn {
  /** `tenant/person`: the id of the tenant, and what its service calls the person. */
  readonly id: string;
  readonly displayName: string;
  /** The service's id of the customer whose administrator they are, for kinds of tenants that pin it. */
  readonly customerId?: string;
}

/** As stored: sealed, so that write access to the tables is not enough to fake a sign-in. */
export interface SealedSignedIn extends SignedIn {
  readonly seal: Seal;
}

/** One step of a sign-in. Kept after its use until it expires, so that a second use is told from a forgery. */
export interface SignInState {
  readonly leg: SignInLeg;
  /** Hash of the link's ticket. */
  readonly link: string;
  /** Hash of the cookie of the browser that began it. */
  readonly browser: string;
  readonly expiresAt: string;
  readonly person?: SealedSignedIn;
  readonly usedAt?: string;
  /** Id of the call that used it, to recognise that call after a lost answer. */
  readonly usedBy?: string;
}
