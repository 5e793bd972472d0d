// How many companies stand in each state, in shares, so that writers at once seldom meet at one row. A company's count moves in the transaction that changes its
// entry in the index; after each round of repairs the timer counts the entries and sets right what differs.
import { createHash } from 'node:crypto';
import {
  countsMoved,
  sumOfCounts,
  type CompaniesCounted,
  type StandingCounts,
  type StandingState,
} from '../domain/company-standing.ts';
import { changeOnce } from './act.ts';
import { list, walk, type Found } from './found.ts';
import { standingCountRow, standingCountRows, standingRows } from './rows/standing-rows.ts';
import type { Tables } from './tables.ts';
import type { Tx, Writes } from './tx.ts';

const SHARES = 64;
const PAGE_ROWS = 1_000;

const shareOf = (companyId: string): string =>
  String((createHash('sha256').update(companyId).digest()[0] ?? 0) % SHARES).padStart(2, '0');

/** Undefined states: not in the index before, or no longer. */
export async function moveCount(
  tx: Tx,
  companyId: string,
  { from, to }: { readonly from: StandingState | undefined; readonly to: StandingState | undefined },
): Promise<void> {
  if (from === to) return;
  const place = { share: shareOf(companyId) };
  const held = await tx.find(standingCountRow, place);
  setCounts(tx, { place, held, counts: countsMoved(held?.value ?? {}, from, to) });
}

/** A share without companies has no row. */
function setCounts(
  tx: Writes,
  share: {
    readonly place: { readonly share: string };
    readonly held: Found<StandingCounts | undefined> | undefined;
    readonly counts: StandingCounts;
  },
): void {
  const { place, held, counts } = share;
  if (Object.keys(counts).length > 0) tx.put(standingCountRow, place, held, counts);
  else if (held) tx.delete(held);
}

/** Two requests, however many companies there are. Throws StoreUnavailable. */
export async function countStandings(tables: Tables): Promise<CompaniesCounted> {
  return sumOfCounts((await list(tables, standingCountRows, {})).map(({ value }) => value ?? {}));
}

/** Walks all entries. A share that moves meanwhile is left to the next round: its row's ETag, read before the walk, tells. Answers how many were wrong. */
export async function recountStandings({ tables }: { readonly tables: Tables }): Promise<number> {
  const held = new Map((await list(tables, standingCountRows, {})).map((row) => [row.place.share, row]));
  const counted = new Map<string, StandingCounts>([...held.keys()].map((share) => [share, {}]));
  for await (const entries of walk(tables, standingRows, {}, { limit: PAGE_ROWS, toTheEnd: true })) {
    for (const { place, value } of entries) {
      const share = shareOf(place.companyId);
      counted.set(share, countsMoved(counted.get(share) ?? {}, undefined, value?.state));
    }
  }
  let wrong = 0;
  for (const [share, counts] of counted) {
    const row = held.get(share);
    if (row?.value && isSame(row.value, counts)) continue;
    const set = await changeOnce({ tables }, (tx) => {
      setCounts(tx, { place: { share }, held: row, counts });
    });
    if (set.ok) wrong += 1;
  }
  return wrong;
}

const isSame = (one: StandingCounts, other: StandingCounts): boolean =>
  JSON.stringify(sumOfCounts([one])) === JSON.stringify(sumOfCounts([other]));
