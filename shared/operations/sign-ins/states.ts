// The one-time states of a sign-in: made for one step in one browser, and used once. A used state stays until it expires, so that a second use, a
// forgery, a copy in another browser and a late step are told apart.
import type { Actor } from '../../domain/audit.ts';
import { failure } from '../../identity/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { SignedIn, SignInLeg, SignInState } from '../../domain/sign-in-link.ts';
import { sealedBytesOfSignedIn, type Shown } from '../../domain/seal.ts';
import { hashOf, ticketOf, TICKET_SECRET_BYTES, type Ticket } from '../../domain/ticket.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import type { Clock, Entropy, Sealer } from '../../domain/ports.ts';
import { change, changeOnce } from '../../store/act.ts';
import { find, type Found } from '../../store/found.ts';
import type { Races } from '../../store/races.ts';
import { signInStateRow } from '../../store/rows/sign-in-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { Writes } from '../../store/tx.ts';
import { checkSeal, forged, type SealCheck } from '../keys/seals.ts';

/** A step that begins: what goes into the address, what into the cookie, and what only leaves as a hash. */
export interface BegunStep {
  readonly state: Ticket;
  /** `verifier.nonce`: the proof key and the nonce are nowhere but in the browser that began. */
  readonly cookie: string;
  readonly codeVerifier: string;
  readonly nonce: string;
}

interface StepMaking {
  readonly tables: Tables;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly signInTimes: { readonly stepMs: number };
}

/** When the browser left for a step, judged by the longest time a step may take, whatever the row says: expired states are refused earlier. */
export const begunAt = (
  { signInTimes }: Pick<StepMaking, 'signInTimes'>,
  { expiresAt }: Pick<SignInState, 'expiresAt'>,
): Date => new Date(Date.parse(expiresAt) - signInTimes.stepMs);

interface Step {
  readonly companyId: string;
  /** Hash of the link's ticket. */
  readonly link: string;
}

/** Throws StoreUnavailable if it cannot be told whether the state was stored: the browser then has nothing to come back with. */
export async function beginStep(
  deps: StepMaking,
  { leg, ...step }: Step & { readonly leg: Exclude<SignInLeg, 'confirm'> },
): Promise<BegunStep> {
  const { begun, stored } = makeStep(deps, step);
  await storeStep(deps, begun, { ...stored, leg });
  return begun;
}

/** The second question, to a person who signed in: that they did is sealed with what they are shown. Throws like `beginStep`. */
export async function beginQuestion(
  deps: StepMaking & { readonly sealer: Sealer },
  { person, shown, ...step }: Step & { readonly person: SignedIn; readonly shown: Shown },
): Promise<Result<BegunStep, Failure>> {
  const { begun, stored } = makeStep(deps, step);
  const seal = await deps.sealer.sign(sealedBytesOfSignedIn(step.companyId, stored, { person, shown }));
  if (!seal.ok) return seal;
  await storeStep(deps, begun, { ...stored, leg: 'confirm', person: { ...person, seal: seal.value } });
  return ok(begun);
}

function makeStep(
  { clock, entropy, signInTimes }: StepMaking,
  { companyId, link }: Step,
): { readonly begun: BegunStep; readonly stored: Omit<SignInState, 'leg'> } {
  const random = (): string => Buffer.from(entropy.bytes(TICKET_SECRET_BYTES)).toString('base64url');
  const state = ticketOf(companyId, entropy.bytes(TICKET_SECRET_BYTES));
  const codeVerifier = random();
  const nonce = random();
  const cookie = `${codeVerifier}.${nonce}`;
  const expiresAt = new Date(clock.now().getTime() + signInTimes.stepMs).toISOString();
  return { begun: { state, cookie, codeVerifier, nonce }, stored: { link, browser: hashOf(cookie), expiresAt } };
}

async function storeStep(deps: StepMaking, { state }: BegunStep, stored: SignInState): Promise<void> {
  const written = await changeOnce(deps, (tx) => tx.insert(signInStateRow, state, stored));
  if (!written.ok) throw new StoreUnavailable('the state of a sign-in could not be stored');
}

/** Who signed in, if we wrote that they did and were shown just this; `row-forged` otherwise. */
export async function whoSignedIn(
  deps: SealCheck,
  { ticket, value }: FoundState,
  shown: Shown,
): Promise<Result<SignedIn, Failure>> {
  const { companyId } = ticket;
  const rowKey = signInStateRow.key(ticket);
  const { person } = value;
  if (!person) return err(forged(deps.log, { companyId, rowKey }));
  const bytes = sealedBytesOfSignedIn(companyId, value, { person, shown });
  const sealed = await checkSeal(deps, { companyId, rowKey, bytes, seal: person.seal });
  const { seal: _seal, ...who } = person;
  return sealed.ok ? ok(who) : sealed;
}

/** The proof key and the nonce out of a cookie that was checked against its state. */
export function openCookie(cookie: string): { readonly codeVerifier: string; readonly nonce: string } {
  const [codeVerifier = '', nonce = ''] = cookie.split('.');
  return { codeVerifier, nonce };
}

export interface FoundState extends Found<SignInState> {
  readonly ticket: Ticket;
}

/**
 * A state that may be used now, for one of `legs`, by the browser that shows `cookie`. Uses nothing up. A refusal without `found` is of a state that
 * has no row: an attacker can make one up.
 */
export async function findState(
  deps: { readonly tables: Pick<Tables, 'read'>; readonly clock: Clock },
  asked: { readonly ticket: Ticket; readonly cookie: string | undefined; readonly legs: readonly SignInLeg[] },
): Promise<Result<FoundState, { readonly failure: Failure; readonly found?: SignInState }>> {
  const { ticket, cookie, legs } = asked;
  const state = await loadState(deps.tables, ticket);
  if (!state) return err({ failure: failure('sign-in-unknown') });
  const found = state.value;
  if (!legs.includes(found.leg)) return err({ failure: failure('sign-in-unknown'), found });
  const refused = (
    code: 'sign-in-expired' | 'sign-in-used' | 'sign-in-other-browser',
  ): ReturnType<typeof err<{ failure: Failure; found: SignInState }>> => err({ failure: failure(code), found });
  if (found.usedAt !== undefined) return refused('sign-in-used');
  if (deps.clock.now() >= new Date(found.expiresAt)) return refused('sign-in-expired');
  if (cookie === undefined || hashOf(cookie) !== found.browser) return refused('sign-in-other-browser');
  return ok(state);
}

/** Uses a state up in a transaction that does more. */
export const markUsed = (tx: Writes, state: FoundState, use: { readonly at: Date; readonly by: Actor }): void =>
  void tx.replace(state, { ...state.value, usedAt: use.at.toISOString(), usedBy: use.by.requestId });

/** Uses a state up before anything is done with it. `sign-in-used` for all but one of those who come at once. */
export function useUp(
  deps: Races & { readonly tables: Tables; readonly clock: Clock },
  state: FoundState,
  by: Actor,
): Promise<Result<void, Refusal>> {
  let isFresh = true;
  return change<undefined>(deps, async (tx) => {
    const now = isFresh ? state : await loadState(deps.tables, state.ticket);
    isFresh = false;
    if (now?.value.usedBy === by.requestId) return ok(undefined);
    const unused = judgeUnused(now);
    if (!unused.ok) return unused;
    markUsed(tx, unused.value, { at: deps.clock.now(), by });
    return ok(undefined);
  });
}

/** The same state as it stands now; `sign-in-used` if another request was quicker. */
export async function findStateAgain(
  deps: { readonly tables: Pick<Tables, 'read'> },
  { ticket }: FoundState,
): Promise<Result<FoundState, Refusal>> {
  return judgeUnused(await loadState(deps.tables, ticket));
}

async function loadState(tables: Pick<Tables, 'read'>, ticket: Ticket): Promise<FoundState | undefined> {
  const state = await find(tables, signInStateRow, ticket);
  return state && { ...state, ticket };
}

function judgeUnused(state: FoundState | undefined): Result<FoundState, Refusal> {
  if (!state) return err(refusedBy(failure('sign-in-unknown')));
  return state.value.usedAt === undefined ? ok(state) : err(refusedBy(failure('sign-in-used')));
}
