// The one way to change what is stored. `act` is for what is recorded: its transaction carries the event, so neither is ever written alone.
// `change` is for the rest: leases, marks, cursors. Both repeat the attempt after a lost race or a lost answer; an operation says only
// what it reads, what it writes and what it answers.
import type { Act, Actor } from '../domain/audit.ts';
import type { Refusal } from '../domain/refusal.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { Auditing } from './append.ts';
import { settleRaces, undecided, type Races, type Undecided } from './races.ts';
import { RecordedWrite } from './recorded-write.ts';
import type { Tables, WriteOutcome } from './tables.ts';
import { Refused, Transaction, type Tx, type Writes } from './tx.ts';

/** What is recorded of an act. */
export interface About extends Act {
  readonly actor: Actor;
}

type Answer<T> = Result<T, Refusal> | Undecided;
type Conflict = Extract<WriteOutcome, { readonly outcome: 'conflict' }>;

/** How an attempt at a change ends: with a refusal, for which nothing is written, or with the answer to give once its writes, if any, are done. */
export type Changed<T> =
  | Answer<T>
  | {
      /** The same; `done` is called with the rows already written. */
      readonly done: () => T | Promise<T>;
    };

/** What an attempt at an act ends with. */
export type Acted<T> =
  | Answer<T>
  | (Exclude<Changed<T>, Answer<T>> & {
      /** Called when the answer to the write was lost and a later look finds it written. Others may have written since. */
      readonly ifLanded: () => Result<T, Refusal> | Promise<Result<T, Refusal>>;
      /** Called when others were certainly first: undoes what this attempt prepared. An answer ends the act; undefined decides it anew. */
      readonly ifConflict?: (conflict: Conflict) => Promise<Result<T, Refusal> | undefined>;
    });

type Plan<T> = Exclude<Changed<T>, Answer<T>> & Partial<Exclude<Acted<T>, Answer<T>>>;

/**
 * Repeats the attempt until it is decided, as settleRaces does. A refused act, or one with nothing to do, writes nothing. The event is appended
 * to its chain at once; if that fails, the timer does it later and the act still succeeds. Throws what `attempt` throws.
 */
export async function act<T>(
  deps: Auditing,
  about: About,
  attempt: (tx: Tx) => Promise<Acted<T>>,
): Promise<Result<T, Refusal>> {
  const record = recordOf(deps, about);
  let ifLanded: Plan<T>['ifLanded'];
  const landed = async (): Promise<Result<T, Refusal> | undefined> =>
    ifLanded && (await record.landed()) ? ifLanded() : undefined;
  const done = await settleRaces<T>(deps, async () => {
    // invariant A13: before deciding anew, look whether an attempt without an answer was written
    const before = await landed();
    if (before) return before;
    const tx = new Transaction(deps.tables);
    const plan = await planOf(tx, attempt);
    // invariant A13: and once more before answering, in case that attempt was written meanwhile
    if (isAnswer(plan)) return (await landed()) ?? plan;
    const written = await tx.write(deps.tables, tx.isRecorded ? record : undefined);
    if (written.outcome === 'unknown' && tx.isRecorded) ifLanded = plan.ifLanded;
    // invariant A13: and on a conflict, for the same reason
    if (written.outcome === 'conflict' && tx.isOwn(written.index))
      return (await landed()) ?? (await plan.ifConflict?.(written)) ?? undecided(written);
    return settled(plan, written);
  });
  await record.settle();
  return done;
}

/** One attempt at an act, under rows that the caller has read. */
export async function actOnce<T = undefined>(
  deps: Auditing,
  about: About,
  write: (tx: Writes) => (() => T) | undefined,
): Promise<Result<T, Undecided>> {
  const record = recordOf(deps, about);
  const tx = new Transaction(deps.tables);
  const done = write(tx);
  const written = await tx.write(deps.tables, record);
  await record.settle();
  return settledOnce(done, written);
}

/** Repeats the attempt until it is decided, as settleRaces does. A lost answer is decided anew: the rows tell whose write it was. */
export function change<T>(
  deps: Races & { readonly tables: Tables },
  attempt: (tx: Tx) => Promise<Changed<T>>,
): Promise<Result<T, Refusal>> {
  return settleRaces<T>(deps, async () => {
    const tx = new Transaction(deps.tables);
    const plan = await planOf(tx, attempt);
    return isAnswer(plan) ? plan : settled(plan, await tx.write(deps.tables));
  });
}

/** One attempt at a change, under rows that the caller has read; writes nothing if there is nothing to write. */
export async function changeOnce<T = undefined>(
  deps: { readonly tables: Tables },
  write: (tx: Writes) => (() => T) | undefined,
): Promise<Result<T, Undecided>> {
  const tx = new Transaction(deps.tables);
  const done = write(tx);
  return settledOnce(done, tx.isEmpty ? undefined : await tx.write(deps.tables));
}

const recordOf = (deps: Auditing, { actor, ...what }: About): RecordedWrite =>
  new RecordedWrite(deps, { actor, act: what, outcome: 'done' });

const isAnswer = <T>(decided: Answer<T> | Plan<T>): decided is Answer<T> =>
  typeof decided === 'string' || 'ok' in decided;

/** Runs the attempt without writing: an answer if it has nothing to write, otherwise its plan. */
async function planOf<T>(
  tx: Transaction,
  attempt: (tx: Tx) => Promise<Answer<T> | Plan<T>>,
): Promise<Answer<T> | Plan<T>> {
  try {
    const decided = await attempt(tx);
    if (!isAnswer(decided)) return tx.isEmpty ? ok(await decided.done()) : decided;
    if (typeof decided === 'string' || !decided.ok || tx.isEmpty) return decided;
    const { value } = decided;
    return { done: () => value, ifLanded: () => decided };
  } catch (error) {
    if (error instanceof Refused) return err(error.refusal);
    throw error;
  }
}

const settled = async <T>({ done }: Plan<T>, written: WriteOutcome): Promise<Answer<T>> =>
  written.outcome === 'committed' ? ok(await done()) : undecided(written);

const settledOnce = <T>(done: (() => T) | undefined, written?: WriteOutcome): Result<T, Undecided> =>
  written === undefined || written.outcome === 'committed' ? ok(done?.() as T) : err(undecided(written));
