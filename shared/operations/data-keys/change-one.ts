// Changes one data key's row, for soft delete and restore: reads, decides, writes under the ETag read; again if another writer was faster.
import type { KeyringPlace } from '../../domain/keyring.ts';
import type { DataKey } from '../../domain/data-key.ts';
import { isDataKeyId } from '../../domain/ids.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Loaded } from '../../store/control-state.ts';
import type { Cells, Tables } from '../../store/tables.ts';
import type { Clock, Entropy, Timers } from '../../domain/ports.ts';
import { matches } from '../../domain/preconditions.ts';
import { settleRaces } from '../../store/races.ts';
import { shardOfKey, type KeyringShards } from './keyring-shards.ts';
import type { ShardWriter } from './shard-writer.ts';
import { loadDataKey, viewOf, type DataKeyView } from './view.ts';
import type { WrappedRows } from './wrapped-rows.ts';

export interface ChangingOne {
  readonly tables: Tables;
  readonly shardWriter: ShardWriter;
  readonly keyringShards: KeyringShards;
  readonly wrappedRows: WrappedRows;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly entropy: Entropy;
}

export interface OneDataKey extends KeyringPlace {
  readonly keyId: string;
  /** Refused unless the row still has this ETag; `*` holds for any. */
  readonly ifMatch?: string;
}

export interface RowDecision {
  readonly cells: Cells & { readonly state: DataKey['state'] };
  readonly makesLive: boolean;
}

export interface Deciding {
  /** Undefined if the row is already as asked. `tried`: an earlier attempt may have been written. */
  readonly decide: (key: DataKey, tried: boolean) => Result<RowDecision | undefined, Refusal>;
  readonly beforeWrite?: () => Promise<void>;
}

export async function changeOne(
  deps: ChangingOne,
  input: OneDataKey,
  { decide, beforeWrite }: Deciding,
): Promise<Result<Loaded<DataKeyView>, Refusal>> {
  const { keyId } = input;
  if (!isDataKeyId(keyId)) return err(notFound('data-key', keyId));
  const keyring = await deps.keyringShards.read(input);
  if (!keyring.ok) return keyring;
  const place = shardOfKey(keyring.value, keyId);
  const writtenBy = deps.entropy.id();
  let tried = false;
  return settleRaces<Loaded<DataKeyView>>(deps, async () => {
    const row = await loadDataKey(deps.tables, place, keyId);
    const view = row && viewOf(row.value);
    if (!row || !view) return err(notFound('data-key', keyId));
    if (row.value.writtenBy === writtenBy) return ok({ value: view, etag: row.etag });
    const decided = decide(row.value, tried);
    // An earlier attempt may have been written and the row changed since: it is as asked, so the ETag does not matter.
    const isDone = tried && decided.ok && decided.value === undefined;
    if (!isDone && !matches(input.ifMatch, row.etag)) {
      return err({ type: 'precondition-failed', what: 'data-key', id: keyId });
    }
    if (!decided.ok) return decided;
    if (!decided.value) return ok({ value: view, etag: row.etag });
    const { cells, makesLive } = decided.value;
    if (!tried) await beforeWrite?.();
    tried = true;
    const change = {
      kind: 'changed',
      keyId,
      etag: row.etag,
      cells: { ...cells, writtenBy },
      before: row.value,
      after: { ...row.value, state: cells.state },
      makesLive,
    } as const;
    const [outcome] = await deps.shardWriter.write(place, [change]);
    deps.wrappedRows.forget(input, keyId);
    if (outcome?.outcome === 'refused') return err(outcome.refusal);
    if (outcome?.outcome !== 'written') return 'lost-race';
    const after = await loadDataKey(deps.tables, place, keyId);
    const now = after && viewOf(after.value);
    return after && now ? ok({ value: now, etag: after.etag }) : err(notFound('data-key', keyId));
  });
}
