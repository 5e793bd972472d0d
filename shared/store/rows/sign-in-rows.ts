// Rows of links and of the one-time states of sign-ins. Pure. Found by a hash and bound to a company by their partition. A writer of
// the tables cannot forge one: the seal of a link covers what it asks, the seal of a person who signed in covers what the page showed them.
import { SIGN_IN_LEGS, type SealedSignedIn, type SignInLink, type SignInState } from '../../domain/sign-in-link.ts';
import { readSeal } from './seal-cell.ts';
import { readSubject } from '../../domain/sign-in-subject.ts';
import { json, need, oneOf, optionalText, text, type CellRecord } from './cells.ts';
import { present, isRecord } from '../../domain/plain-object.ts';

const FORMAT = 1;

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
