// Rows of links and of the one-time states of sign-ins. Pure. Found by a hash and bound to a company by their partition. A writer of
// the tables cannot forge one: the seal of a link covers what it asks, the seal of a person who signed in covers what the page showed them.
import type { Seal } from '../../domain/company-key.ts';
import { readSeal } from './seal-cell.ts';
import { readSubject, type SignInSubject } from '../../domain/sign-in-subject.ts';
import { json, need, oneOf, optionalText, present, isRecord, text, type CellRecord } from './cells.ts';

const FORMAT = 1;

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

/** `admin-consent`: at Microsoft, for the whole tenant; proves nothing. `sign-in`: shows who it is. `confirm`: back here, the second question. */
export const SIGN_IN_LEGS = ['admin-consent', 'sign-in', 'confirm'] as const;
export type SignInLeg = (typeof SIGN_IN_LEGS)[number];

/** Who signed in and was found entitled; for the second question only. */
export interface SignedIn {
  /** `tenant/object id` at Microsoft, the subject at Google. */
  readonly id: string;
  readonly displayName: string;
  /** Of which Google Workspace. */
  readonly customerId?: string;
}

/** As it is stored: sealed, so that nobody who can write the tables has signed in. */
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

export const linkCells = (link: SignInLink): CellRecord => ({
  format: FORMAT,
  subject: JSON.stringify(link.subject),
  about: link.about,
  requestedBy: link.requestedBy,
  createdAt: link.createdAt,
  expiresAt: link.expiresAt,
  doneAt: link.doneAt ?? '',
  seal: JSON.stringify(link.seal),
});

/** Throws MalformedRow. */
export function readLink(cells: CellRecord): SignInLink {
  const ofLink = <T>(value: T | undefined, name: string): T => need(value, 'consent|link', name);
  return {
    subject: ofLink(readSubject(json(cells, 'subject')), 'subject'),
    about: ofLink(text(cells, 'about'), 'about'),
    requestedBy: ofLink(text(cells, 'requestedBy'), 'requestedBy'),
    createdAt: ofLink(text(cells, 'createdAt'), 'createdAt'),
    expiresAt: ofLink(text(cells, 'expiresAt'), 'expiresAt'),
    seal: ofLink(readSeal(json(cells, 'seal')), 'seal'),
    ...present({ doneAt: optionalText(cells, 'doneAt') }),
  };
}

export const stateCells = (state: SignInState): CellRecord => ({
  format: FORMAT,
  leg: state.leg,
  link: state.link,
  browser: state.browser,
  expiresAt: state.expiresAt,
  person: state.person === undefined ? '' : JSON.stringify(state.person),
  usedAt: state.usedAt ?? '',
  usedBy: state.usedBy ?? '',
});

/** Throws MalformedRow. */
export function readState(cells: CellRecord): SignInState {
  const ofState = <T>(value: T | undefined, name: string): T => need(value, 'consent|state', name);
  const person = readPerson(json(cells, 'person'));
  return {
    leg: ofState(oneOf(cells, 'leg', SIGN_IN_LEGS), 'leg'),
    link: ofState(text(cells, 'link'), 'link'),
    browser: ofState(text(cells, 'browser'), 'browser'),
    expiresAt: ofState(text(cells, 'expiresAt'), 'expiresAt'),
    ...present({ person, usedAt: optionalText(cells, 'usedAt'), usedBy: optionalText(cells, 'usedBy') }),
  };
}

function readPerson(value: unknown): SealedSignedIn | undefined {
  if (!isRecord(value)) return undefined;
  const { id, displayName, customerId } = value;
  const seal = readSeal(value['seal']);
  if (typeof id !== 'string' || typeof displayName !== 'string' || !seal) return undefined;
  return { id, displayName, seal, ...(typeof customerId === 'string' ? { customerId } : {}) };
}
