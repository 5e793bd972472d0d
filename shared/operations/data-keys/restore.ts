// Restores a soft-deleted data key, while it can be.
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Loaded } from '../../store/control-state.ts';
import { changeOne, type ChangingOne, type OneDataKey } from './change-one.ts';
import type { DataKeyView } from './view.ts';

/** A key past its time is not found, even if its row still waits to be purged. Throws StoreUnavailable. */
export async function restoreDataKey(
  deps: ChangingOne,
  input: OneDataKey,
): Promise<Result<Loaded<DataKeyView>, Refusal>> {
  const now = deps.clock.now().toISOString();
  return changeOne(deps, input, {
    decide: (key, tried) => {
      // Live after an attempt with a lost answer: it is as asked, though the row may have been written again since.
      if (key.state === 'live' && tried) return ok(undefined);
      if (key.state !== 'deleted') {
        return err({ type: 'state', code: 'data-key-not-deleted', message: `The data key is ${key.state}.` });
      }
      if ((key.purgeAfter ?? '') <= now) return err(notFound('data-key', key.keyId));
      return ok({
        cells: { state: 'live', deletedAt: '', purgeAfter: '' },
        makesLive: true,
      });
    },
  });
}
