// Table Storage in memory: ETags, transactions and continuation for real. Faults are injected by wrapping it.
import type {
  Cells,
  RowPage,
  RowWrite,
  StoredRow,
  TableName,
  Tables,
  WriteOutcome,
} from '../../shared/store/tables.ts';
import { assertEntityLimits, assertTransactionLimits } from '../../shared/store/table-limits.ts';

interface Held {
  readonly etag: string;
  readonly cells: Cells;
}

const KINDS: readonly RowWrite['kind'][] = ['insert', 'merge', 'replace', 'delete'];

const withoutUndefined = (cells: Cells): Cells =>
  Object.fromEntries(
    Object.entries(cells).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value.toWellFormed() : value]],
    ),
  );

export class FakeTables implements Tables {
  readonly #partitions = new Map<string, Map<string, Held>>();
  #etag = 0;

  read(table: TableName, partitionKey: string, rowKey: string): Promise<StoredRow | undefined> {
    const held = this.#partition(table, partitionKey).get(rowKey);
    return Promise.resolve(held && { rowKey, ...held });
  }

  list(query: Parameters<Tables['list']>[0]): Promise<RowPage> {
    const from = query.continuation ?? query.after ?? '';
    const keys = [...this.#partition(query.table, query.partitionKey).keys()]
      .filter((key) => key > from && (query.before === undefined || key < query.before))
      .filter((key) => key >= (query.from ?? '') && (query.to === undefined || key <= query.to))
      .sort();
    const page = keys.slice(0, query.limit);
    const partition = this.#partition(query.table, query.partitionKey);
    const rows = page.flatMap((rowKey) => {
      const held = partition.get(rowKey);
      return held ? [{ rowKey, ...held }] : [];
    });
    const last = page.at(-1);
    return Promise.resolve(keys.length > page.length && last !== undefined ? { rows, continuation: last } : { rows });
  }

  write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome> {
    assertTransactionLimits(partitionKey, writes);
    if (!writes.every(({ kind }) => KINDS.includes(kind))) throw new Error('a write of no known kind');
    const partition = this.#partition(table, partitionKey);
    for (const [index, write] of writes.entries()) {
      const held = partition.get(write.rowKey);
      if (write.kind === 'insert') {
        if (held) return Promise.resolve({ outcome: 'conflict', index, reason: 'exists' });
      } else if (!held) return Promise.resolve({ outcome: 'conflict', index, reason: 'missing' });
      else if (held.etag !== write.etag) return Promise.resolve({ outcome: 'conflict', index, reason: 'changed' });
    }
    for (const write of writes) {
      if (write.kind !== 'merge') continue;
      const cells = { ...partition.get(write.rowKey)?.cells, ...withoutUndefined(write.cells) };
      assertEntityLimits(partitionKey, write.rowKey, cells);
    }
    const etags = writes.map((write) => this.#apply(partition, write));
    return Promise.resolve({ outcome: 'committed', etags });
  }

  /** A row as it is stored, for whoever looks on without taking part. */
  peek(table: TableName, partitionKey: string, rowKey: string): StoredRow | undefined {
    const held = this.#partition(table, partitionKey).get(rowKey);
    return held && { rowKey, ...held };
  }

  /** Everything stored, for scans and for tampering. */
  *dump(): Generator<{ table: string; partitionKey: string; rowKey: string; cells: Cells }> {
    for (const [name, partition] of this.#partitions) {
      const [table = '', partitionKey = ''] = name.split('\n');
      for (const [rowKey, held] of partition) yield { table, partitionKey, rowKey, cells: held.cells };
    }
  }

  /** Writes behind everybody's back, as somebody with access to the tables could. */
  tamper(table: TableName, partitionKey: string, rowKey: string, cells: Cells): void {
    this.#partition(table, partitionKey).set(rowKey, { etag: this.#nextEtag(), cells: withoutUndefined(cells) });
  }

  #apply(partition: Map<string, Held>, write: RowWrite): string {
    if (write.kind === 'delete') {
      partition.delete(write.rowKey);
      return '';
    }
    const before = write.kind === 'merge' ? partition.get(write.rowKey)?.cells : undefined;
    const etag = this.#nextEtag();
    partition.set(write.rowKey, { etag, cells: { ...before, ...withoutUndefined(write.cells) } });
    return etag;
  }

  #nextEtag(): string {
    this.#etag += 1;
    return `W/"${this.#etag}"`;
  }

  #partition(table: TableName, partitionKey: string): Map<string, Held> {
    const name = `${table}\n${partitionKey}`;
    let partition = this.#partitions.get(name);
    if (!partition) {
      partition = new Map();
      this.#partitions.set(name, partition);
    }
    return partition;
  }
}
