// The ports of a host that dies where it is told to: decorators over the product's adapters.
import type { Failure } from '../../../shared/domain/failure.ts';
import type { VaultKey, VaultTarget } from '../../../shared/domain/provider.ts';
import type { Result } from '../../../shared/domain/result.ts';
import type { WorkMessage } from '../../../shared/domain/work-message.ts';
import type { RowPage, RowWrite, StoredRow, TableName, Tables, WriteOutcome } from '../../../shared/store/tables.ts';
import type { KeyVaults } from '../../../shared/providers/azure-key-vault/vaults.ts';
import type { WorkQueue } from '../../../shared/domain/ports.ts';
import { actOf, type Place } from '../../fixtures/places-to-die.ts';
import type { KillOrders, NamedOrder, PassStand, SeveredWrite } from './kill-orders.ts';
import { invocation, WorkUnderWay } from './work-under-way.ts';

/** Dies if there is an order for this place in the work that is under way. */
export function reach(orders: KillOrders, place: Place, pass?: PassStand): void {
  const whereabouts = WorkUnderWay.current?.whereabouts;
  const found = whereabouts && orders.find(place, { ...whereabouts, ...(pass ? { pass } : {}) });
  if (found && orders.take(found.name)) orders.carryOut(found.name, pass ? { shard: pass.shard } : {});
}

export class DeadlyTables implements Tables {
  readonly #inner: Tables;
  readonly #orders: KillOrders;
  #severed: NamedOrder | undefined;

  constructor(inner: Tables, orders: KillOrders) {
    this.#inner = inner;
    this.#orders = orders;
  }

  async read(table: TableName, partitionKey: string, rowKey: string): Promise<StoredRow | undefined> {
    const row = await this.#inner.read(table, partitionKey, rowKey);
    if (row) WorkUnderWay.current?.noticed(table, partitionKey, row);
    return row;
  }

  async list(query: Parameters<Tables['list']>[0]): Promise<RowPage> {
    const page = await this.#inner.list(query);
    if (query.table === 'datakeys') reach(this.#orders, 'page:read');
    return page;
  }

  async write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome> {
    const work = WorkUnderWay.current;
    if (!work) return this.#inner.write(table, partitionKey, writes);
    await this.#orders.pass();
    const act = actOf(table, writes, { shard: work.shardAt(partitionKey), state: work.state });
    const written = await this.#writeOrDie({ act, table, partitionKey, writes, work });
    if (written.outcome === 'committed' && table === 'datakeys') work.wrote(partitionKey, writes);
    return written;
  }

  async #writeOrDie({ act, table, partitionKey, writes, work }: Act): Promise<WriteOutcome> {
    // A page without a row to move is not the place that is meant. The second pass has opened every row, also if it changes none.
    const isEmpty = act === 'page-write' && writes.length === 1;
    if (act === undefined || isEmpty) return this.#inner.write(table, partitionKey, writes);
    const isOfPass = act === 'page-write' || act === 'second-pass';
    const pass = isOfPass ? work.passBefore(partitionKey, writes) : undefined;
    reach(this.#orders, `${act}:before`, pass);
    const severed = act === 'page-write' ? await this.#sever(pass) : undefined;
    const written = await this.#inner.write(table, partitionKey, writes);
    if (severed) await this.#dieUnanswered(severed, pass, remarkOn(partitionKey, writes, written));
    if (written.outcome === 'committed') reach(this.#orders, `${act}:after`, pass);
    return written;
  }

  /**
   * Has the line to the tables break at the write that follows, if that is what was ordered. The order is taken first: nobody else may
   * break the line, perhaps after it was mended.
   */
  async #sever(pass: PassStand | undefined): Promise<NamedOrder | undefined> {
    const whereabouts = WorkUnderWay.current?.whereabouts;
    if (!whereabouts || this.#severed) return this.#severed;
    const at = { ...whereabouts, ...(pass ? { pass } : {}) };
    const found = this.#orders.find('page-write:answer-lost', at) ?? this.#orders.find('page-write:not-committed', at);
    const line = found?.order.line;
    if (!line || !this.#orders.take(found.name)) return undefined;
    await fetch(`${line.url}/faults`, { method: 'POST', body: JSON.stringify(line.fault) });
    this.#severed = found;
    return found;
  }

  /** A transaction that lost to another writer was not committed either: then it is the next one whose answer is to be lost. */
  async #dieUnanswered({ name, order }: NamedOrder, pass: PassStand | undefined, severed: SeveredWrite): Promise<void> {
    const row = await this.#inner.read('datakeys', severed.partitionKey, severed.rowKey);
    const isCommitted = row?.cells['writtenBy'] === severed.writtenBy;
    if (isCommitted !== (order.place === 'page-write:answer-lost')) return;
    this.#orders.carryOut(name, { severed, ...(pass ? { shard: pass.shard } : {}) });
  }
}

interface Act {
  readonly act: ReturnType<typeof actOf>;
  readonly table: TableName;
  readonly partitionKey: string;
  readonly writes: readonly RowWrite[];
  readonly work: WorkUnderWay;
}

function remarkOn(partitionKey: string, writes: readonly RowWrite[], { outcome }: WriteOutcome): SeveredWrite {
  const last = writes.at(-1);
  const cells = last && last.kind !== 'delete' ? last.cells : {};
  return { outcome, partitionKey, rowKey: last?.rowKey ?? '', writtenBy: String(cells['writtenBy']) };
}

export class DeadlyVaults implements KeyVaults {
  readonly #inner: KeyVaults;
  readonly #orders: KillOrders;

  constructor(inner: KeyVaults, orders: KillOrders) {
    this.#inner = inner;
    this.#orders = orders;
  }

  readKey(target: VaultTarget, version?: string): Promise<Result<VaultKey, Failure>> {
    return this.#inner.readKey(target, version);
  }

  readDeleted(target: VaultTarget): ReturnType<KeyVaults['readDeleted']> {
    return this.#inner.readDeleted(target);
  }

  async unwrap(target: VaultTarget, wrapped: Parameters<KeyVaults['unwrap']>[1]): Promise<Result<Uint8Array, Failure>> {
    const unwrapped = await this.#inner.unwrap(target, wrapped);
    const preparing = WorkUnderWay.current?.state === 'preparing';
    if (unwrapped.ok) reach(this.#orders, preparing ? 'prepare:midway' : 'company-key:unwrapped');
    return unwrapped;
  }
}

export class DeadlyQueue implements WorkQueue {
  readonly #inner: WorkQueue;
  readonly #orders: KillOrders;

  constructor(inner: WorkQueue, orders: KillOrders) {
    this.#inner = inner;
    this.#orders = orders;
  }

  async send(messages: readonly WorkMessage[], options?: { readonly delayMs?: number }): Promise<void> {
    const invoked = invocation.getStore();
    if (invoked instanceof WorkUnderWay) await this.#orders.pass();
    // Whoever enqueues what comes next finds nothing to enqueue if a timer was there before. Its messages may get lost.
    if (invoked === undefined && this.#orders.isAwaited('next:enqueued')) return;
    await this.#inner.send(messages, options);
    if (invoked === 'call') this.#beforeReceipt(messages);
    else reach(this.#orders, 'next:enqueued');
  }

  /** The message that a call sent lies in the queue, and whoever could have received it first is gone. */
  #beforeReceipt(messages: readonly WorkMessage[]): void {
    for (const { switchId } of messages) {
      const found = this.#orders.find('message:before-receipt', { switchId, generation: undefined });
      if (found && this.#orders.take(found.name)) this.#orders.carryOut(found.name);
    }
  }
}
