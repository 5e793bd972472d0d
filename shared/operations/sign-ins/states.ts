// The one-time states of a sign-in: made for one step in one browser, and used once. A state that was used stays until it expires, so that a
// second use, a forgery, a copy in another browser and one that came too late are told apart.
import type { Actor } from '../../domain/audit.ts';
import { failure } from '../../domain/failure-catalogue.ts';
import type { Failure } from '../../domain/failure.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { stateRowKey } from '../../domain/rows/row-keys.ts';
import {
  readState,
  stateCells,
  type SignedIn,
  type SignInLeg,
  type SignInState,
} from '../../domain/rows/sign-in-rows.ts';
import { hashOf, ticketOf, TICKET_SECRET_BYTES, type Ticket } from '../../domain/ticket.ts';
import type { Loaded } from '../control-state.ts';
import { StoreUnavailable, type Clock, type Entropy, type RowWrite, type Tables } from '../ports.ts';
import { settleRaces, type Races } from '../races.ts';

/** A step that begins: what goes into the address, what into the cookie, and what only leaves as a hash. */
export interface BegunStep {
  readonly state: Ticket;
  /** `verifier.nonce`: the proof key and the nonce are nowhere but in the browser that began. */
  readonly cookie: string;
  readonly codeVerifier: string;
  readonly nonce: string;
}

interface StepMaking {
  readonly tables: Pick<Tables, 'write'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly signInTimes: { readonly stepMs: number };
}

/** Throws StoreUnavailable if it cannot be told whether the state was stored: the browser then has nothing to come back with. */
export async function beginStep(
  deps: StepMaking,
  step: { readonly companyId: string; readonly leg: SignInLeg; readonly link: string; readonly person?: SignedIn },
): Promise<BegunStep> {
  const { companyId, leg, link, person } = step;
  const random = (): string => Buffer.from(deps.entropy.bytes(TICKET_SECRET_BYTES)).toString('base64url');
  const state = ticketOf(companyId, deps.entropy.bytes(TICKET_SECRET_BYTES));
  const codeVerifier = random();
  const nonce = random();
  const cookie = `${codeVerifier}.${nonce}`;
  const expiresAt = new Date(deps.clock.now().getTime() + deps.signInTimes.stepMs).toISOString();
  const stored = { leg, link, browser: hashOf(cookie), expiresAt, ...(person === undefined ? {} : { person }) };
  const write = { kind: 'insert', rowKey: stateRowKey(state.hash), cells: stateCells(stored) } as const;
  const written = await deps.tables.write('companies', companyId, [write]);
  if (written.outcome !== 'committed') throw new StoreUnavailable('the state of a sign-in could not be stored');
  return { state, cookie, codeVerifier, nonce };
}

/** The proof key and the nonce out of a cookie that was checked against its state. */
export function openCookie(cookie: string): { readonly codeVerifier: string; readonly nonce: string } {
  const [codeVerifier = '', nonce = ''] = cookie.split('.');
  return { codeVerifier, nonce };
}

export interface FoundState extends Loaded<SignInState> {
  readonly ticket: Ticket;
}

/** A state that may be used now, for one of `legs`, by the browser that shows `cookie`. Uses nothing up. */
export async function findState(
  deps: { readonly tables: Pick<Tables, 'read'>; readonly clock: Clock },
  asked: { readonly ticket: Ticket; readonly cookie: string | undefined; readonly legs: readonly SignInLeg[] },
): Promise<Result<FoundState, { readonly failure: Failure; readonly found?: SignInState }>> {
  const { ticket, cookie, legs } = asked;
  const row = await deps.tables.read('companies', ticket.companyId, stateRowKey(ticket.hash));
  const found = row && readState(row.cells);
  if (!row || !found || !legs.includes(found.leg)) return err({ failure: failure('sign-in-unknown') });
  const refused = (
    code: 'sign-in-expired' | 'sign-in-used' | 'sign-in-other-browser',
  ): ReturnType<typeof err<{ failure: Failure; found: SignInState }>> => err({ failure: failure(code), found });
  if (found.usedAt !== undefined) return refused('sign-in-used');
  if (deps.clock.now() >= new Date(found.expiresAt)) return refused('sign-in-expired');
  if (cookie === undefined || hashOf(cookie) !== found.browser) return refused('sign-in-other-browser');
  return ok({ value: found, etag: row.etag, ticket });
}

/** The write that uses a state up, for a transaction that does more. */
export const usedWrite = (state: FoundState, use: { readonly at: Date; readonly by: Actor }): RowWrite => ({
  kind: 'replace',
  rowKey: stateRowKey(state.ticket.hash),
  cells: stateCells({ ...state.value, usedAt: use.at.toISOString(), usedBy: use.by.requestId }),
  etag: state.etag,
});

/** Uses a state up before anything is done with it. `sign-in-used` for all but one of those who come at once. */
export function useState(
  deps: Races & { readonly tables: Pick<Tables, 'read' | 'write'>; readonly clock: Clock },
  state: FoundState,
  by: Actor,
): Promise<Result<void, Refusal>> {
  let current = state;
  return settleRaces<undefined>(deps, async () => {
    const { ticket } = state;
    const written = await deps.tables.write('companies', ticket.companyId, [
      usedWrite(current, { at: deps.clock.now(), by }),
    ]);
    if (written.outcome === 'committed') return ok(undefined);
    const row = await deps.tables.read('companies', ticket.companyId, stateRowKey(ticket.hash));
    const now = row && readState(row.cells);
    if (!row || !now) return err(refusedBy(failure('sign-in-unknown')));
    if (now.usedAt !== undefined)
      return now.usedBy === by.requestId ? ok(undefined) : err(refusedBy(failure('sign-in-used')));
    current = { value: now, etag: row.etag, ticket };
    return 'lost-race';
  });
}

/** The same state as it stands now; `sign-in-used` if somebody was quicker. */
export async function findStateAgain(
  deps: { readonly tables: Pick<Tables, 'read'> },
  { ticket }: FoundState,
): Promise<Result<FoundState, Refusal>> {
  const row = await deps.tables.read('companies', ticket.companyId, stateRowKey(ticket.hash));
  const now = row && readState(row.cells);
  if (!row || !now) return err(refusedBy(failure('sign-in-unknown')));
  return now.usedAt === undefined
    ? ok({ value: now, etag: row.etag, ticket })
    : err(refusedBy(failure('sign-in-used')));
}
