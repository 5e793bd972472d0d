// Soft-deletes a data key: it stays wrapped, and is re-protected like the others, until it can no longer be restored.
import type { DataKey } from '../../domain/data-key.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { ClockGuard } from '../../store/clock-guard.ts';
import type { Loaded } from '../../store/control-state.ts';
import { changeOne, type ChangingOne, type OneDataKey } from './change-one.ts';
import { noteForPurge } from './purge-list.ts';
import type { DataKeyView } from './view.ts';

export interface DeletingOne extends ChangingOne {
  readonly restoreDays: number;
  readonly clockGuard: ClockGuard;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Deleting a deleted key again changes nothing. Refused for a quarantined key, which waits for a decision, and for a lost one, which stays as a
 * record. Throws StoreUnavailable.
 */
export async function deleteDataKey(
  deps: DeletingOne,
  input: OneDataKey,
): Promise<Result<Loaded<DataKeyView>, Refusal>> {
  const now = deps.clock.now();
  const deletedAt = now.toISOString();
  const purgeAfter = new Date(now.getTime() + deps.restoreDays * DAY_MS).toISOString();
  return changeOne(deps, input, {
    decide: (key) => {
      const refusal = refusalOf(key);
      if (refusal) return err(refusal);
      if (key.state === 'deleted') return ok(undefined);
      deps.clockGuard.assertAgrees(now);
      return ok({
        cells: { state: 'deleted', deletedAt, purgeAfter },
        makesLive: false,
      });
    },
    beforeWrite: () => noteForPurge(deps.tables, input, { keyId: input.keyId, purgeAfter }),
  });
}

function refusalOf({ state }: DataKey): Refusal | undefined {
  if (state === 'quarantined') {
    const message = 'The data key is quarantined: retry it or accept its loss first.';
    return { type: 'state', code: 'data-key-quarantined', message };
  }
  if (state !== 'lost') return undefined;
  return { type: 'state', code: 'data-key-lost', message: 'The data key was given up, and is kept as a record.' };
}
