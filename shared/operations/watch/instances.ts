// Each instance says every minute that it lives, and in which version; rows of those that have gone are deleted.
import { change, changeOnce } from '../../store/act.ts';
import { list } from '../../store/found.ts';
import { ok } from '../../domain/result.ts';
import type { Races } from '../../store/races.ts';
import { instanceRow, instanceRows, timerRows } from '../../store/rows/heartbeat-rows.ts';
import { storeNow, type StoreTime } from '../../store/store-time.ts';
import { MAX_WRITES_PER_TRANSACTION, type Tables } from '../../store/tables.ts';
import { isTimer } from '../../domain/timer-beat.ts';

export interface Living extends StoreTime, Races {
  readonly tables: Tables;
  readonly instance: string;
  /** Of Keyswitch. */
  readonly version: string;
}

/** One that has said nothing for so long is gone. */
export const INSTANCE_GONE_AFTER_MS = 5 * 60_000;
/** So long its row stays, to be seen. */
const FORGOTTEN_AFTER_MS = 24 * 60 * 60_000;

/** Throws StoreUnavailable. */
export async function sayInstanceLives(deps: Living): Promise<void> {
  const { instance, version } = deps;
  await change<undefined>(deps, async (tx) => {
    const held = await tx.find(instanceRow, { instance });
    const seenAt = storeNow(deps).toISOString();
    tx.put(instanceRow, { instance }, held, { version, startedAt: held?.value?.startedAt ?? seenAt, seenAt });
    return ok(undefined);
  });
}

/** For a timer. Deletes what instances that have gone have left, and timers that this version does not know. Answers how many rows. */
export async function forgetHeartbeats(deps: StoreTime & { readonly tables: Tables }): Promise<number> {
  const instances = await list(deps.tables, instanceRows, {});
  const timers = await list(deps.tables, timerRows, {});
  const nowMs = storeNow(deps).getTime();
  // A time in the future was written by a host whose clock was ahead.
  const isOld = (at: string | undefined): boolean => !(Math.abs(nowMs - Date.parse(at ?? '')) < FORGOTTEN_AFTER_MS);
  const old = [
    ...instances.filter(({ value }) => isOld(value?.seenAt)),
    ...timers.filter(({ place, value }) => !isTimer(place.timer) && isOld(value?.nextAt)),
  ];
  let forgotten = 0;
  for (let start = 0; start < old.length; start += MAX_WRITES_PER_TRANSACTION) {
    const rows = old.slice(start, start + MAX_WRITES_PER_TRANSACTION);
    const gone = await changeOnce(deps, (tx) => {
      for (const row of rows) tx.delete(row);
    });
    if (gone.ok) forgotten += rows.length;
  }
  return forgotten;
}
