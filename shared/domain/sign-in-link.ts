// A link that asks an administrator to sign in, and the steps of a sign-in on its way. Types only, but for the names of the legs.
import type { Seal } from './company-key.ts';
import type { SignInSubject } from './sign-in-subject.ts';

/** Made by an admin of the company, opened by an administrator of a tenant. */
export interface SignInLink {
  readonly subject: SignInSubject;
  /** Digest of what the subject led to when the link was made: it is void if that is something else by now. */
  readonly about: string;
  readonly requestedBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  /** When what it asks for was done. */
  readonly doneAt?: string;
  readonly seal: Seal;
}

/** `admin-consent`: an administrator accepts the app for the whole tenant; proves nothing. `sign-in`: shows who it is. `confirm`: back here, the second question. */
export const SIGN_IN_LEGS = ['admin-consent', 'sign-in', 'confirm'] as const;
export type SignInLeg = (typeof SIGN_IN_LEGS)[number];

/** Who signed in and was found entitled; for the second question only. */
export interface SignedIn {
  /** `tenant/person`: the id of the tenant, and what its service calls the person. */
  readonly id: string;
  readonly displayName: string;
  /** Which customer of the service it is whose administrator spoke, of kinds that pin it. */
  readonly customerId?: string;
}

/** As it is stored: sealed, so that write access to the tables does not make a sign-in. */
export interface SealedSignedIn extends SignedIn {
  readonly seal: Seal;
}

/** One step of a sign-in on its way. Kept after its use until it expires, so that a second use is told from a forgery. */
export interface SignInState {
  readonly leg: SignInLeg;
  /** Hash of the link's ticket. */
  readonly link: string;
  /** Hash of the cookie of the browser that began it. */
  readonly browser: string;
  readonly expiresAt: string;
  readonly person?: SealedSignedIn;
  readonly usedAt?: string;
  /** Id of the call that used it, to know it after a lost answer. */
  readonly usedBy?: string;
}
