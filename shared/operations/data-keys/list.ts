// The data keys of a keyring, page by page over its shards: metadata and, if asked for, what is stored of each key, which only its company
// key opens. The order is by shard and, within one, by id.
import { isDataKeyId } from '../../domain/ids.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { BEFORE_DATA_KEYS, readDataKey } from '../../domain/rows/data-rows.ts';
import { dataKeysPartition } from '../../domain/rows/row-keys.ts';
import type { Tables } from '../ports.ts';
import type { KeyringPlace, KeyringPlaces } from './keyring-places.ts';
import { viewOf, type DataKeyView } from './view.ts';

export interface ListedDataKey extends DataKeyView {
  /** The data key under its company key, as it is stored. */
  readonly wrapped?: Uint8Array;
}

export interface DataKeyPage {
  readonly value: readonly ListedDataKey[];
  /** Opaque; present if there may be more, also when `value` is short or empty. */
  readonly continuation?: string;
}

const MAX_LIST_PAGE = 1_000;
const DEFAULT_LIST_PAGE = 100;
/** A page that would take more queries than this ends early, with a continuation. */
const MAX_QUERIES_PER_PAGE = 32;

interface Position {
  readonly shard: number;
  readonly after: string;
}

export async function listDataKeys(
  deps: { readonly tables: Pick<Tables, 'list'>; readonly keyringPlaces: KeyringPlaces },
  input: KeyringPlace & { readonly limit?: number; readonly continuation?: string; readonly wrapped?: boolean },
): Promise<Result<DataKeyPage, Refusal>> {
  const limit = input.limit ?? DEFAULT_LIST_PAGE;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIST_PAGE) {
    return err({ type: 'invalid', target: 'limit', message: `A page holds 1 to ${MAX_LIST_PAGE} data keys.` });
  }
  const shards = await deps.keyringPlaces.read(input);
  if (!shards.ok) return shards;
  const start = parsePosition(input.continuation, shards.value.shardCount);
  if (!start) return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this list.' });
  const { shardCount } = shards.value;
  return ok(await collect(deps.tables, input, { limit, start, shardCount, wrapped: input.wrapped ?? false }));
}

async function collect(
  tables: Pick<Tables, 'list'>,
  place: KeyringPlace,
  wanted: {
    readonly limit: number;
    readonly start: Position;
    readonly shardCount: number;
    readonly wrapped: boolean;
  },
): Promise<DataKeyPage> {
  const value: ListedDataKey[] = [];
  let { shard, after } = wanted.start;
  let empty: string | undefined;
  for (let queries = 0; queries < MAX_QUERIES_PER_PAGE && value.length < wanted.limit; queries += 1) {
    if (shard >= wanted.shardCount) return { value };
    const page = await tables.list({
      table: 'datakeys',
      partitionKey: dataKeysPartition({ companyId: place.companyId, keyringId: place.keyringId, shard }),
      after,
      limit: wanted.limit - value.length,
      ...(empty === undefined ? {} : { continuation: empty }),
    });
    for (const row of page.rows) {
      const key = readDataKey(row.rowKey, row.cells);
      const view = viewOf(key);
      if (view) value.push(wanted.wrapped ? { ...view, wrapped: key.blob } : view);
    }
    const last = page.rows.at(-1)?.rowKey;
    // Table Storage may answer an empty page that has a continuation all the same.
    empty = last === undefined ? page.continuation : undefined;
    if (page.continuation === undefined) {
      shard += 1;
      after = BEFORE_DATA_KEYS;
    } else after = last ?? after;
  }
  return shard >= wanted.shardCount ? { value } : { value, continuation: writePosition({ shard, after }) };
}

const writePosition = ({ shard, after }: Position): string =>
  Buffer.from(after === BEFORE_DATA_KEYS ? `${shard}` : `${shard}|${after}`).toString('base64url');

/** Parsed as a stranger's: undefined unless it could be one of ours. */
function parsePosition(continuation: string | undefined, shardCount: number): Position | undefined {
  if (continuation === undefined) return { shard: 0, after: BEFORE_DATA_KEYS };
  const [number = '', after, ...rest] = Buffer.from(continuation, 'base64url').toString('utf8').split('|');
  const shard = /^\d{1,4}$/.test(number) ? Number(number) : shardCount;
  if (shard >= shardCount || rest.length > 0) return undefined;
  if (after === undefined) return { shard, after: BEFORE_DATA_KEYS };
  return isDataKeyId(after) ? { shard, after } : undefined;
}
