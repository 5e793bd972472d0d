// Which message of the work queue a call of a port belongs to, and how far its switch was when it last looked. Decides nothing.
import { AsyncLocalStorage } from 'node:async_hooks';
import { readSwitch } from '../../../shared/store/rows/switch-rows.ts';
import { readShard } from '../../../shared/store/rows/data-rows.ts';
import { switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import { movableAt } from '../../../shared/domain/shard-counts.ts';
import { SHARD_ROW_KEY, type Shard } from '../../../shared/domain/shard.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import type { WorkMessage } from '../../../shared/domain/work-message.ts';
import type { RowWrite, StoredRow, TableName } from '../../../shared/store/tables.ts';
import type { PassStand, Whereabouts } from './kill-orders.ts';

/** Of an invocation: the work that a message brought, or a call over HTTP. Undefined for everything else, timers above all. */
export const invocation = new AsyncLocalStorage<WorkUnderWay | 'call'>();

export class WorkUnderWay {
  readonly #message: WorkMessage;
  readonly #shards = new Map<string, Shard>();
  #switch: Switch | undefined;

  constructor(message: WorkMessage) {
    this.#message = message;
  }

  static get current(): WorkUnderWay | undefined {
    const store = invocation.getStore();
    return store === 'call' ? undefined : store;
  }

  /** A row that the work has read. */
  noticed(table: TableName, partitionKey: string, row: StoredRow): void {
    const { keyringId, switchId } = this.#message;
    if (table === 'companies' && row.rowKey === switchRowKey(keyringId, switchId)) this.#switch = readSwitch(row.cells);
    if (table === 'datakeys' && row.rowKey === SHARD_ROW_KEY) this.#shards.set(partitionKey, readShard(row.cells));
  }

  /** A transaction that the work has written to a partition of data keys. */
  wrote(partitionKey: string, writes: readonly RowWrite[]): void {
    const shard = shardIn(writes);
    if (shard) this.#shards.set(partitionKey, shard);
  }

  /** How far the pass over a shard is before it writes this. */
  passBefore(partitionKey: string, writes: readonly RowWrite[]): PassStand {
    const before = this.#shards.get(partitionKey);
    const moved = before && movableAt(before, before.writeVersion);
    const behind = (before?.phase === 'verify' ? before.checked : moved) ?? 0;
    const shard = Number(partitionKey.slice(partitionKey.lastIndexOf('|') + 1));
    return { shard, behind, isLast: shardIn(writes)?.phase === 'done' };
  }

  get state(): Switch['state'] | undefined {
    return this.#switch?.state;
  }

  shardAt(partitionKey: string): Shard | undefined {
    return this.#shards.get(partitionKey);
  }

  /** Undefined before the work has looked at its switch, unless the message says for which generation it is. */
  get whereabouts(): Whereabouts | undefined {
    const message = this.#message;
    const generation = message.kind === 'reprotect' ? message.generation : this.#switch?.generation;
    return generation === undefined ? undefined : { switchId: message.switchId, generation };
  }
}

/** The shard as a transaction leaves it. */
function shardIn([first]: readonly RowWrite[]): Shard | undefined {
  return first?.rowKey === SHARD_ROW_KEY && first.kind === 'merge' ? readShard(first.cells) : undefined;
}
