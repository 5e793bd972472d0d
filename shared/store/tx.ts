// One transaction in preparation: what is read for it and what it will write. All writes are collected first, then done together or not at all.
import type { Detail } from '../domain/audit.ts';
import { present } from '../domain/plain-object.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Shard, ShardPlace } from '../domain/shard.ts';
import { renewOnAgenda, type AgendaItem } from './agenda.ts';
import { at, find, type At, type Found } from './found.ts';
import type { RecordedWrite } from './recorded-write.ts';
import type { Row, RowChange } from './rows/row.ts';
import { behindShard, type ShardChange } from './shard-rows.ts';
import type { OutboxTable } from './outbox.ts';
import type { RowWrite, Tables, WriteOutcome } from './tables.ts';

/** The row as written. Throws before the transaction is. */
export type Written<V> = () => Found<V>;

/** What a transaction writes, in this order: rows of one partition, each once. */
export interface Writes {
  /** A row that must not exist yet. */
  insert<P, V, R>(row: Row<P, V, R>, place: P, value: NoInfer<V>): Written<V>;
  /** Replaces the row that was read, or inserts one where there was none. */
  put<P, V, R>(row: Row<P, V, R>, place: P, held: Found<R> | undefined, value: NoInfer<V>): Written<V>;
  /** Replaces the row that was read. */
  replace<V>(held: Found<V>, next: NoInfer<V>): Written<V>;
  /** Writes only these cells of the row that was read. */
  merge<V>(held: Found<V>, next: NoInfer<V>, cells: readonly string[]): Written<V>;
  /** Writes nothing, but demands that the row is still as it was read. */
  guard<V>(held: Found<V>): Written<V>;
  delete(held: Found<unknown>): void;
  /** Rows of a shard, behind the shard's own row (invariant A1). Such a transaction holds nothing else. */
  behindShard(place: ShardPlace, change: ShardChange): Written<Shard>;
  /** Puts the item on the agenda, or renews it there, before anything else is written (invariant A12). */
  agenda(item: AgendaItem): void;
  /** Adds to the event's detail; for acts only. */
  detail(detail: Detail): void;
  /** Names the act by what it has come to; for acts only. */
  named(action: string): void;
}

/** What a transaction writes, and what it reads first. */
export interface Tx extends Writes {
  /** Undefined if there is none. */
  find<P, V, R>(row: Row<P, V, R>, place: P): Promise<Found<R> | undefined>;
  /** Ends the attempt with a refusal if the row is absent or nothing beside it may be changed: its company is being deleted. */
  need<P, V, R>(row: Row<P, V, R>, place: P): Promise<Found<R>>;
  /** The writes so far need no event: nothing happened that is recorded. */
  withoutEvent(): void;
}

/** Caught by `act` and `change` alone (docs/decisions/0006). */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.type);
    this.refusal = refusal;
  }
}

type Where = Pick<At<never>, 'table' | 'partitionKey'>;

export class Transaction implements Tx {
  readonly #tables: Pick<Tables, 'read'>;
  readonly #writes: RowWrite[] = [];
  readonly #items: AgendaItem[] = [];
  /** By kind, for kinds that demand something. */
  readonly #changes = new Map<At<never>['row'], RowChange<unknown>[]>();
  #where: Where | undefined;
  #more: Detail = {};
  #action: string | undefined;
  #etags: readonly string[] | undefined;
  isRecorded = true;

  constructor(tables: Pick<Tables, 'read'>) {
    this.#tables = tables;
  }

  find<P, V, R>(row: Row<P, V, R>, place: P): Promise<Found<R> | undefined> {
    return find(this.#tables, row, place);
  }

  async need<P, V, R>(row: Row<P, V, R>, place: P): Promise<Found<R>> {
    const held = await find(this.#tables, row, place);
    const refusal = held ? row.closedTo?.(held.value) : row.missing?.(place);
    if (refusal) throw new Refused(refusal);
    if (!held) throw new Error(`row ${row.key(place)} is missing`);
    return held;
  }

  insert<P, V, R>(row: Row<P, V, R>, place: P, value: NoInfer<V>): Written<V> {
    const there = at(row, place);
    this.#note(there, { after: value });
    return this.#add(there, value, { kind: 'insert', rowKey: there.rowKey, cells: there.row.cells(value) });
  }

  put<P, V, R>(row: Row<P, V, R>, place: P, held: Found<R> | undefined, value: NoInfer<V>): Written<V> {
    return held ? this.replace({ ...held, value, at: at(row, place) }, value) : this.insert(row, place, value);
  }

  replace<V>({ at: there, etag, value }: Found<V>, next: NoInfer<V>): Written<V> {
    this.#note(there, { before: value, after: next });
    return this.#add(there, next, { kind: 'replace', rowKey: there.rowKey, cells: there.row.cells(next), etag });
  }

  merge<V>({ at: there, etag, value }: Found<V>, next: NoInfer<V>, names: readonly string[]): Written<V> {
    this.#note(there, { before: value, after: next });
    const all = there.row.cells(next);
    const unknown = names.find((name) => !(name in all));
    if (unknown !== undefined) throw new Error(`row ${there.rowKey} has no cell ${unknown}`);
    const cells = Object.fromEntries(names.map((name) => [name, all[name]]));
    return this.#add(there, next, { kind: 'merge', rowKey: there.rowKey, cells, etag });
  }

  guard<V>({ at: there, etag, value }: Found<V>): Written<V> {
    return this.#add(there, value, { kind: 'merge', rowKey: there.rowKey, cells: {}, etag });
  }

  delete({ at: there, etag, value }: Found<unknown>): void {
    this.#note(there, { before: value });
    this.#add(there, undefined, { kind: 'delete', rowKey: there.rowKey, etag });
  }

  behindShard(place: ShardPlace, change: ShardChange): Written<Shard> {
    const { at: there, writes } = behindShard(place, change);
    if (this.#writes.length > 0) throw new Error('the first write of a shard is its own row');
    const [own, ...rows] = writes;
    const written = this.#add(there, change.next, own);
    this.#writes.push(...rows);
    return written;
  }

  agenda(item: AgendaItem): void {
    this.#items.push(item);
  }

  detail(detail: Detail): void {
    this.#more = { ...this.#more, ...detail };
  }

  named(action: string): void {
    this.#action = action;
  }

  withoutEvent(): void {
    this.isRecorded = false;
  }

  get isEmpty(): boolean {
    return this.#writes.length === 0;
  }

  /** Whether `index` is one of the attempt's own writes; its event stands behind them. */
  isOwn(index: number): boolean {
    return index < this.#writes.length;
  }

  /** With its event, if `record` makes one. */
  async write(tables: Tables, record?: Pick<RecordedWrite, 'write'>): Promise<WriteOutcome> {
    if (!this.#where) throw new Error('nothing to write');
    const demanded = [...this.#changes].flatMap(([row, changes]) => row.demands?.(changes) ?? []);
    const missing = demanded.find((key) => !this.#writes.some(({ rowKey }) => rowKey === key));
    if (missing !== undefined) throw new Error(`a transaction must write ${missing} too`);
    for (const item of this.#items) await renewOnAgenda(tables, item);
    const { table, partitionKey } = this.#where;
    const written = record
      ? await record.write(table as OutboxTable, partitionKey, this.#writes, {
          detail: this.#more,
          ...present({ action: this.#action }),
        })
      : await tables.write(table, partitionKey, this.#writes);
    if (written.outcome === 'committed') this.#etags = written.etags;
    return written;
  }

  #note({ row }: Pick<At<never>, 'row'>, change: RowChange<unknown>): void {
    if (row.demands) this.#changes.set(row, [...(this.#changes.get(row) ?? []), change]);
  }

  #add<V>(there: At<V>, value: V, write: RowWrite): Written<V> {
    const { table, partitionKey } = there;
    this.#where ??= { table, partitionKey };
    if (this.#where.table !== table || this.#where.partitionKey !== partitionKey) {
      throw new Error('a transaction writes to one partition');
    }
    const index = this.#writes.push(write) - 1;
    return () => {
      const etag = this.#etags?.[index];
      if (etag === undefined) throw new Error('not written yet');
      return { value, etag, at: there };
    };
  }
}
