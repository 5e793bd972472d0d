// What lets a browser in: a link, or the one-time state of a sign-in. Pure. A ticket names its company, so that its row is found in the company's
// partition. The rest is random and stored only as a hash, so reading the tables gives no ticket that works.
import { createHash } from 'node:crypto';
import { RESOURCE_ID } from './ids.ts';

export const TICKET_SECRET_BYTES = 32;

export interface Ticket {
  /** `companyId~random`, for an address. */
  readonly text: string;
  readonly companyId: string;
  /** SHA-256 of the text, in hex: what is stored. */
  readonly hash: string;
}

/** The id of a company, and 43 characters of base64url: 32 bytes. */
export const TICKET = new RegExp(`${RESOURCE_ID.source.slice(0, -1)}~[A-Za-z0-9_-]{43}$`);

export const ticketOf = (companyId: string, secret: Uint8Array): Ticket =>
  named(companyId, `${companyId}~${Buffer.from(secret).toString('base64url')}`);

/** Undefined if it does not have the form of a ticket. Whether it is valid, its row tells. */
export function parseTicket(text: string): Ticket | undefined {
  return TICKET.test(text) ? named(text.slice(0, text.indexOf('~')), text) : undefined;
}

const named = (companyId: string, text: string): Ticket => ({ text, companyId, hash: hashOf(text) });

/** The text is random itself, so it cannot be guessed: needs no salt and no stretching. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
