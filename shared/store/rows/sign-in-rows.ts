// Rows of sign-in links and one-time states. Pure. Found by a hash, bound to a company by their partition. Writing the tables is not enough to
// forge one: a link's seal covers what it asks, a signed-in person's seal covers what the page showed them.
import { SIGN_IN_LEGS, type SealedSignedIn, type SignInLink, type SignInState } from '../../domain/sign-in-link.ts';
import { readSeal } from './seal-cell.ts';
import { readSubject } from '../../domain/sign-in-subject.ts';
import { json, need, oneOf, optionalText, text, type Cells } from './cells.ts';
import type { Row, Rows } from './row.ts';
import { linkRowKey, SIGN_IN_PREFIX, stateRowKey, TIDIED_ROW_KEY } from './row-keys.ts';
import { present, isRecord } from '../../domain/plain-object.ts';

const FORMAT = 1;

const linkCells = (link: SignInLink): Cells => ({
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
function readLink(cells: Cells): SignInLink {
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

const stateCells = (state: SignInState): Cells => ({
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
function readState(cells: Cells): SignInState {
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

/** `hash` of its ticket. */
export interface TicketPlace {
  readonly companyId: string;
  readonly hash: string;
}

export const linkRow: Row<TicketPlace, SignInLink> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ hash }) => linkRowKey(hash),
  cells: linkCells,
  read: readLink,
  sealed: 'over-in-a-day',
};

export const signInStateRow: Row<TicketPlace, SignInState> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ hash }) => stateRowKey(hash),
  cells: stateCells,
  read: readState,
  sealed: 'over-in-a-day',
};

interface SignInPlace {
  readonly companyId: string;
  readonly rest: string;
}

/** Links, states and counts of button presses: only when each expires. */
export const signInRowsOf: Rows<{ readonly companyId: string }, SignInPlace, never, { readonly expiresAt: string }> = {
  row: {
    table: 'companies',
    partition: ({ companyId }) => companyId,
    key: ({ rest }) => `${SIGN_IN_PREFIX}${rest}`,
    cells: (none) => none,
    read: (cells) => ({ expiresAt: optionalText(cells, 'expiresAt') ?? '' }),
  },
  partition: ({ companyId }) => companyId,
  prefix: () => SIGN_IN_PREFIX,
  place: ({ companyId }, rest) => ({ companyId, rest }),
};

/** How far tidying has come; undefined, also for a row that cannot be read, starts at the beginning. */
export const tidiedRow: Row<{ readonly companyId: string }, SignInPlace | undefined> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: () => TIDIED_ROW_KEY,
  cells: (after) => ({ format: FORMAT, after: after === undefined ? '' : signInRowsOf.row.key(after) }),
  read: (cells, { companyId }) => {
    const after = text(cells, 'after') ?? '';
    return after.startsWith(SIGN_IN_PREFIX) ? { companyId, rest: after.slice(SIGN_IN_PREFIX.length) } : undefined;
  },
};
