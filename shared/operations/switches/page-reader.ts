// Pages of the data keys of one shard for a pass, in the order of their ids.
import { BEFORE_DATA_KEYS, shardRow } from '../../store/rows/data-rows.ts';
import type { ShardPlace } from '../../store/shard-rows.ts';
import type { RowPage, Tables } from '../../store/tables.ts';

/**
 * Three full transactions. Two pages of every shard are in memory at once, so longer ones cost memory; shorter ones cost a round
 * trip more often, since switch and shard are read before each.
 */
export const PAGE_ROWS = 297;

/** Reads pages of data keys, the next one while the present one is written. */
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

  /** Rows read ahead are written under their own ETags, so one that changes meanwhile is read again. */
  prefetch(cursor: string, continuation: string): void {
    // A failure here is met again, and then thrown, by the read that needs the page.
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
