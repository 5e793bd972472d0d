// The data keys of a keyring, page by page over its shards: metadata and, if asked for, each key's stored blob, which only its company key opens. In the
// order of shards and, within one, of ids.
import type { KeyringPlace } from '../../domain/keyring.ts';
import { isDataKeyId } from '../../domain/ids.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { present } from '../../domain/plain-object.ts';
import { BEFORE_DATA_KEYS, dataKeyRow, shardRow } from '../../store/rows/data-rows.ts';
import type { Switch } from '../../domain/switch.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { KeyringShards } from './keyring-shards.ts';
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
/** A page that would need more queries than this ends early, with a continuation. */
const MAX_QUERIES_PER_PAGE = 32;
const MAX_TRIES = 3;

interface Position {
  readonly shard: number;
  readonly after: string;
  /** Of wrapped keys: the company-key version that the whole list is under. */
  readonly version?: number;
}

interface Wanted {
  readonly limit: number;
  readonly start: Position;
  readonly shardCount: number;
  /** Undefined for metadata only. */
  readonly version: number | undefined;
}

interface Listing {
  readonly tables: Tables;
  readonly keyringShards: KeyringShards;
}

/**
 * Lists wrapped keys only while all are under the company key in force, which is the one that an export holds: refused with `switch-in-progress` while
 * a switch moves them, and with `company-key-changed` if one has ended since the first page.
 */
export async function listDataKeys(
  deps: Listing,
  input: KeyringPlace & { readonly limit?: number; readonly continuation?: string; readonly wrapped?: boolean },
): Promise<Result<DataKeyPage, Refusal>> {
  const limit = input.limit ?? DEFAULT_LIST_PAGE;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIST_PAGE) {
    return err({ type: 'invalid', target: 'limit', message: `A page holds 1 to ${MAX_LIST_PAGE} data keys.` });
  }
  const keyring = await deps.keyringShards.read(input);
  if (!keyring.ok) return keyring;
  const { shardCount } = keyring.value;
  const start = parsePosition(input.continuation, shardCount);
  if (!start || (start.version !== undefined) !== (input.wrapped === true && input.continuation !== undefined)) {
    return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this list.' });
  }
  if (input.wrapped !== true) {
    return ok((await collect(deps.tables, input, { limit, start, shardCount, version: undefined })).page);
  }
  let listed: Awaited<ReturnType<typeof collect>>;
  let tries = 0;
  do {
    const inForce = await versionOfAll(deps.tables, input, start.version);
    if (!inForce.ok) return inForce;
    listed = await collect(deps.tables, input, { limit, start, shardCount, version: inForce.value });
    tries += 1;
    // Mixed versions: a switch has begun meanwhile, so try again. Mixed each time: a row was tampered with, and is shown as it is.
  } while (listed.isMixed && tries < MAX_TRIES);
  return ok(listed.page);
}

/** The version that every data key has while no switch moves them. */
async function versionOfAll(
  tables: Tables,
  place: KeyringPlace,
  before: number | undefined,
): Promise<Result<number, Refusal>> {
  const keyring = await loadKeyring(tables, place);
  if (!keyring) return err(notFound('keyring', place.keyringId));
  const { switchId, activeVersion } = keyring.value;
  if (before !== undefined && before !== activeVersion) {
    const message =
      'The company key has changed since this list was begun: export it anew, and list from the beginning.';
    return err({ type: 'state', code: 'company-key-changed', message });
  }
  const sw = switchId === undefined ? undefined : await loadSwitch(tables, { ...place, switchId });
  if (switchId === undefined || (sw && !hasMoved(sw.value))) return ok(activeVersion);
  return err({ type: 'switch-in-progress', switchId });
}

/** Until a switch is prepared, no data key has moved. */
const hasMoved = ({ state }: Switch): boolean => state !== 'pending-verification' && state !== 'preparing';

async function collect(
  tables: Pick<Tables, 'list'>,
  place: KeyringPlace,
  wanted: Wanted,
): Promise<{ readonly page: DataKeyPage; readonly isMixed: boolean }> {
  const value: ListedDataKey[] = [];
  let isMixed = false;
  let { shard, after } = wanted.start;
  let empty: string | undefined;
  let isSaidBefore = false;
  for (let queries = 0; queries < MAX_QUERIES_PER_PAGE && value.length < wanted.limit; queries += 1) {
    if (shard >= wanted.shardCount) return { page: { value }, isMixed };
    const at = { companyId: place.companyId, keyringId: place.keyringId, shard };
    const page = await tables.list({
      table: dataKeyRow.table,
      partitionKey: shardRow.partition(at),
      after,
      limit: wanted.limit - value.length,
      ...(empty === undefined ? {} : { continuation: empty }),
    });
    for (const row of page.rows) {
      const key = dataKeyRow.read(row.cells, { ...at, keyId: row.rowKey });
      const view = viewOf(key);
      if (!view) continue;
      value.push(wanted.version === undefined ? view : { ...view, wrapped: key.blob });
      isMixed ||= key.companyKeyVersion !== wanted.version && (key.state === 'live' || key.state === 'deleted');
    }
    const last = page.rows.at(-1)?.rowKey;
    // Table Storage may answer an empty page that is not the last.
    empty = last === undefined ? page.continuation : undefined;
    // Keys are recovered by this list, so it must be complete: the end of a shard is confirmed by a second answer.
    const isSaid = page.continuation === undefined;
    const isOver: boolean = isSaid && (wanted.version === undefined || (isSaidBefore && last === undefined));
    isSaidBefore = isSaid && !isOver;
    if (isOver) {
      shard += 1;
      after = BEFORE_DATA_KEYS;
    } else after = last ?? after;
  }
  if (shard >= wanted.shardCount) return { page: { value }, isMixed };
  const continuation = writePosition({ shard, after, ...present({ version: wanted.version }) });
  return { page: { value, continuation }, isMixed };
}

/** `3`, `3|key` or, of wrapped keys, `v7|3|key`: no id of a data key holds `|`. */
function writePosition({ shard, after, version }: Position): string {
  const place = after === BEFORE_DATA_KEYS ? `${shard}` : `${shard}|${after}`;
  return Buffer.from(version === undefined ? place : `v${version}|${place}`).toString('base64url');
}

/** Checks a caller's text: undefined unless it could be one of ours. */
function parsePosition(continuation: string | undefined, shardCount: number): Position | undefined {
  if (continuation === undefined) return { shard: 0, after: BEFORE_DATA_KEYS };
  const parts = Buffer.from(continuation, 'base64url').toString('utf8').split('|');
  const version = /^v\d{1,10}$/.test(parts[0] ?? '') ? Number(parts.shift()?.slice(1)) : undefined;
  const [number = '', after, ...rest] = parts;
  const shard = /^\d{1,4}$/.test(number) ? Number(number) : shardCount;
  if (shard >= shardCount || rest.length > 0) return undefined;
  if (after !== undefined && !isDataKeyId(after)) return undefined;
  return { shard, after: after ?? BEFORE_DATA_KEYS, ...present({ version }) };
}
