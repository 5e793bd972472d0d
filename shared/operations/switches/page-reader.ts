// Pages of one shard's data keys for a pass, in the order of their ids.
import { BEFORE_DATA_KEYS, shardRow } from '../../store/rows/data-rows.ts';
import type { ShardPlace } from '../../store/shard-rows.ts';
import type { RowPage, Tables } from '../../store/tables.ts';

/**
 * Three full transactions. Two pages of every shard are in memory at once, so longer pages cost memory; shorter ones cost more round trips, since
 * switch and shard are read before each.
 */
export const PAGE_ROWS = 297;

/** Reads pages of data keys, each next one while the present one is written. */
export class PageReader {
  readonly #tables: Pick<Tables, 'list'>;
  readonly #place: ShardPlace;
  #ahead: { readonly cursor: string; readonly page: Promise<RowPage | undefined> } | undefined;

  constructor(tables: Pick<Tables, 'list'>, place: ShardPlace) {
    this.#tables = tables;
    this.#place = place;
  }

  async read(cursor: string): Promise<RowPage> {
    const ahead = this.#ahead?.cursor === cursor ? await this.#ahead.page : undefined;
    this.#ahead = undefined;
    return ahead ?? this.#list(cursor);
  }

  /** Rows that were read ahead are written under their own ETags, so a row that has changed meanwhile is read again. */
  prefetch(cursor: string, continuation: string): void {
    // The read that needs the page meets a failure again, and throws it.
    this.#ahead = { cursor, page: this.#list(cursor, continuation).catch(() => undefined) };
  }

  #list(cursor: string, continuation?: string): Promise<RowPage> {
    return this.#tables.list({
      table: 'datakeys',
      partitionKey: shardRow.partition(this.#place),
      after: cursor === '' ? BEFORE_DATA_KEYS : cursor,
      limit: PAGE_ROWS,
      ...(continuation === undefined ? {} : { continuation }),
    });
  }
}
