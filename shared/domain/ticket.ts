// What admits a browser: a link, or the one-time state of a sign-in. Pure. A ticket names its company, so that its row is found in the
// company's own partition; the rest is random, and stored only as a hash: whoever reads the tables cannot use it.
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

/** Undefined if it is none of ours. Whether it admits anybody, its row says. */
export function parseTicket(text: string): Ticket | undefined {
  return TICKET.test(text) ? named(text.slice(0, text.indexOf('~')), text) : undefined;
}

const named = (companyId: string, text: string): Ticket => ({ text, companyId, hash: hashOf(text) });

/** Of what is random itself: no salt and no stretching is needed to keep it from being guessed. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
