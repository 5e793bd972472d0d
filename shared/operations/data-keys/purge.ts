// Purges soft-deleted data keys whose time is over: the row becomes a tombstone that holds only the id, which is never used again. Run by a
// timer; doing it twice changes nothing.
import type { KeyringPlace } from '../../domain/keyring.ts';
import pLimit from 'p-limit';
import type { DataKey } from '../../domain/data-key.ts';
import { dataKeyCells } from '../../store/rows/data-rows.ts';
import type { ClockGuard } from '../../store/clock-guard.ts';
import type { Loaded } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock, Entropy } from '../../domain/ports.ts';
import { shardOfKey, type KeyringShards, type ShardedKeyring } from './keyring-shards.ts';
import { listDue, nextDue, takeOffPurgeList, type PurgeEntry } from './purge-list.ts';
import type { ChangedRow } from './shard-plan.ts';
import type { ShardWriter } from './shard-writer.ts';
import { loadDataKey } from './view.ts';
import type { WrappedRows } from './wrapped-rows.ts';

export interface Purging {
  readonly tables: Tables;
  readonly shardWriter: ShardWriter;
  readonly keyringShards: KeyringShards;
  readonly wrappedRows: WrappedRows;
  readonly clock: Clock;
  readonly clockGuard: ClockGuard;
  readonly entropy: Entropy;
}

const PAGE_ENTRIES = 500;
/** At most this much of one keyring, then the next keyring has its turn. */
const MAX_PAGES_PER_VISIT = 10;
const KEYS_IN_FLIGHT = 128;
const NOTHING = new Uint8Array(0);
/** A key deleted from now on is due in a day at the earliest, so an empty list may rest for a day. */
const LONGEST_REST_MS = 24 * 60 * 60 * 1000;

export interface PurgeVisit {
  readonly purged: number;
  /** When to visit again. */
  readonly nextAt: string;
  /** Where to start then, as `from`. */
  readonly after: string;
  /** The keyring is gone. */
  readonly gone: boolean;
}

/**
 * Purges what is due behind the entry `from`, for a number of pages or until `deadline`, one page at least. Waiting keys keep their entries, so each visit
 * goes on where the last one ended, and each round starts at the front. Throws StoreUnavailable, also if the clock cannot be trusted.
 */
export async function purgeKeyring(
  deps: Purging,
  place: KeyringPlace,
  { from = '', deadline }: { readonly from?: string; readonly deadline?: Date } = {},
): Promise<PurgeVisit> {
  const now = deps.clock.now();
  const nowText = now.toISOString();
  const keyring = await deps.keyringShards.read(place);
  if (!keyring.ok) return { purged: 0, nextAt: nowText, after: from, gone: keyring.error.type === 'not-found' };
  let purged = 0;
  let after = from;
  let pages = 0;
  do {
    const page = await listDue(deps.tables, place, { now: nowText, limit: PAGE_ENTRIES, after });
    if (page.last === undefined) {
      const rested = new Date(now.getTime() + LONGEST_REST_MS).toISOString();
      const due = await nextDue(deps.tables, place, nowText);
      return { purged, nextAt: due !== undefined && due < rested ? due : rested, after: '', gone: false };
    }
    deps.clockGuard.assertAgrees(now);
    purged += await purgePage(deps, keyring.value, { due: page.due, now: nowText });
    after = page.last;
    pages += 1;
  } while (pages < MAX_PAGES_PER_VISIT && !(deadline && deps.clock.now() >= deadline));
  return { purged, nextAt: nowText, after, gone: false };
}

async function purgePage(
  deps: Purging,
  keyring: ShardedKeyring,
  page: { readonly due: readonly PurgeEntry[]; readonly now: string },
): Promise<number> {
  const limit = pLimit(KEYS_IN_FLIGHT);
  const done = await limit.map(page.due, async (entry) => purgeOne(deps, keyring, { entry, now: page.now }));
  const over = page.due.filter((_, index) => done[index] !== 'waits');
  await takeOffPurgeList(deps.tables, over);
  return done.filter((one) => one === 'purged').length;
}

/** `over`: the entry is of no more use. Writes to one shard meet in one transaction (shard-writer.ts). */
async function purgeOne(
  deps: Purging,
  keyring: ShardedKeyring,
  { entry, now }: { readonly entry: PurgeEntry; readonly now: string },
): Promise<'purged' | 'over' | 'waits'> {
  const at = shardOfKey(keyring, entry.keyId);
  const row = await loadDataKey(deps.tables, at, entry.keyId);
  if (!row) return 'over';
  // Either may become deleted again, so the entry stays.
  if (row.value.state === 'quarantined' || row.value.state === 'lost') return 'waits';
  // Restored meanwhile, or deleted again with an entry of its own.
  if (row.value.state !== 'deleted' || (row.value.purgeAfter ?? '') > now) return 'over';
  const [outcome] = await deps.shardWriter.write(at, [tombstone(row, deps.entropy.id())]);
  deps.wrappedRows.forget(keyring, entry.keyId);
  return outcome?.outcome === 'written' ? 'purged' : 'waits';
}

// invariant A14: the row stays, so that its id is never used again
function tombstone({ value, etag }: Loaded<DataKey>, writtenBy: string): ChangedRow {
  const after: DataKey = {
    ...value,
    state: 'tombstone',
    blob: NOTHING,
    companyKeyVersion: 0,
    previous: NOTHING,
    previousVersion: 0,
    writtenBy,
  };
  const cells = { ...dataKeyCells(after), writtenBy };
  return { kind: 'changed', keyId: value.keyId, etag, cells, before: value, after, makesLive: false };
}
