// How far a switch is. Pure. Both passes count: a row is moved in one, and opened again in the other.
import type { Shard } from './shard.ts';
import { movable, movableAt, total } from './shard-counts.ts';
import { isEnded, turnOf, type Switch } from './switch.ts';

export interface Progress {
  /** live + deleted + quarantined + lost. */
  readonly total: number;
  /** Rows at the company-key version that the present direction leads to. */
  readonly done: number;
  /** Of these, opened again and compared. */
  readonly checked: number;
  readonly quarantined: number;
  readonly lost: number;
  /** Rows moved and rows checked, per second since the present direction began; absent before anything moved. */
  readonly ratePerSecond?: number;
  readonly secondsLeft?: number;
}

/** `shards` are all shards of the keyring; none for an ended switch, which has its own final counts. */
export function progressOf(sw: Switch, shards: readonly Shard[], now: Date): Progress {
  const sum = (count: (shard: Shard) => number): number => shards.reduce((all, shard) => all + count(shard), 0);
  if (isEnded(sw.state)) {
    const { total: all = 0, quarantined = 0, lost = 0 } = sw.finalCounts ?? {};
    return { total: all, done: all - lost, checked: all - lost, quarantined, lost };
  }
  const { generation, writeVersion } = turnOf(sw);
  const work = sum(movable);
  const done = sum((shard) => movableAt(shard, writeVersion));
  const checked = sum((shard) => (shard.generation === generation ? Math.min(shard.checked, movable(shard)) : 0));
  const counts = { total: sum(total), done, checked, quarantined: sum((s) => s.quarantined), lost: sum((s) => s.lost) };
  if (sw.turnedAt === undefined) return counts;
  const seconds = (now.getTime() - Date.parse(sw.turnedAt)) / 1000;
  const moved = done - (sw.doneAtTurn ?? 0) + checked;
  if (seconds <= 0 || moved <= 0) return counts;
  const ratePerSecond = moved / seconds;
  return { ...counts, ratePerSecond, secondsLeft: Math.max(0, (work - done + work - checked) / ratePerSecond) };
}
