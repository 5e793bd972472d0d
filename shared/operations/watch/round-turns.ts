// Whose turn it is with one list of vaults, by its row: one round of it runs at a time, and goes on from where the last one came. A turn that is taken
// twice, by a lost answer, costs checks and no more.
import type { RoundMessage } from '../../domain/check-message.ts';
import { turnOf, type Progress, type Round } from '../../domain/round-progress.ts';
import { changeOnce } from '../../store/act.ts';
import { find, type Found } from '../../store/found.ts';
import { roundRow } from '../../store/rows/round-rows.ts';
import type { Tables } from '../../store/tables.ts';

export interface Turn {
  readonly progress: Progress;
  readonly held: Found<Round> | undefined;
}

/** Undefined if there is nothing left of it, or another round runs. */
export async function findTurn(tables: Tables, round: RoundMessage, now: number): Promise<Turn | undefined> {
  const held = await find(tables, roundRow, round);
  const progress = turnOf(held?.value, { slot: round.slot, now });
  return progress && { progress, held };
}

/** Undefined if another instance has begun it meanwhile. */
export async function beginTurn(
  tables: Tables,
  round: RoundMessage,
  { progress, held }: Turn,
): Promise<Found<Round> | undefined> {
  const next = { ...progress, begun: round.slot, isRunning: true };
  const begun = await changeOnce({ tables }, (tx) => tx.put(roundRow, round, held, next));
  if (begun.ok) return begun.value;
  const found = begun.error === 'no-answer' ? await find(tables, roundRow, round) : undefined;
  return found?.value.begun === round.slot ? found : undefined;
}

/** Where the note is lost, the round after the next takes this one for dead. */
export async function endTurn(tables: Tables, begun: Found<Round>, progress: Progress): Promise<void> {
  await changeOnce({ tables }, (tx) => tx.replace(begun, { ...progress, begun: begun.value.begun, isRunning: false }));
}
