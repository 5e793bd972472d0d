// Adds what one process has counted in a minute to how many data keys the company unwraps, and records where that is far beyond its habit. Only what
// callers were given counts: a switch that moves data keys gives none of them to a caller.
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ok, type Result } from '../../domain/result.ts';
import { afterCount, type UnwrapCount } from '../../domain/unwrap-habit.ts';
import { act } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import { loadCompany } from '../../store/control-state.ts';
import { unwrapHabitRow } from '../../store/rows/unwrap-rows.ts';

export interface UnwrapNoting extends Auditing {
  /** Up to so many data keys in an hour are unusual for no company. */
  readonly unusualKeys: number;
}

const HOUR_MS = 3_600_000;

/** The same count again adds nothing. Throws StoreUnavailable. */
export function noteUnwraps(
  deps: UnwrapNoting,
  companyId: string,
  counted: UnwrapCount,
): Promise<Result<undefined, Refusal>> {
  const place = { companyId };
  const about = { actor: KEYSWITCH, action: 'data-keys.unusual', companyId, target: unwrapHabitRow.key(place) };
  return act<undefined>(deps, about, async (tx) => {
    const held = await tx.find(unwrapHabitRow, place);
    if (!held && !(await loadCompany(deps.tables, companyId))) return ok(undefined);
    const after = afterCount(held?.value, counted, { now: deps.clock.now(), atLeast: deps.unusualKeys });
    if (!after) return ok(undefined);
    tx.put(unwrapHabitRow, place, held, after.habit);
    if (after.rise) {
      const { hour, keys, usual } = after.rise;
      tx.detail({ hour: new Date(hour * HOUR_MS).toISOString(), keys, usual });
    } else tx.withoutEvent();
    return ok(undefined);
  });
}
