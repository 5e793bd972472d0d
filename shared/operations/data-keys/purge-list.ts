// Which soft-deleted data keys are due to be purged, and when: a partition of the agenda for each keyring, ordered by time, so that no timer scans the
// keyring. An entry is inserted before the key is deleted and removed after it is purged, so the list may hold too much and is checked against
// the rows. The keyring stays on the agenda from its first delete until it is gone.
import { isDataKeyId } from '../../domain/ids.ts';
import type { KeyringPlace } from '../../domain/keyring.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import { changeOnce } from '../../store/act.ts';
import { putOnAgenda } from '../../store/agenda.ts';
import { at, type Found } from '../../store/found.ts';
import { insertIfAbsent } from '../../store/insert-if-absent.ts';
import { listSome } from '../../store/list-pages.ts';
import { dueBy, purgePartition, purgePlaceOf, purgeRow } from '../../store/rows/purge-rows.ts';
import { MAX_WRITES_PER_TRANSACTION, type StoredRow, type Tables } from '../../store/tables.ts';

export interface PurgeEntry extends Found<undefined> {
  readonly keyId: string;
  readonly purgeAfter: string;
}

export const KEYRING_PURGE_PREFIX = 'keyring|';

/** Throws StoreUnavailable if it stays unknown whether the entry was written. */
export async function noteForPurge(
  tables: Tables,
  place: KeyringPlace,
  entry: { readonly keyId: string; readonly purgeAfter: string },
): Promise<void> {
  if (!(await insertIfAbsent(tables, purgeRow, { ...place, ...entry }, undefined)))
    throw new StoreUnavailable('the list of what to purge could not be written');
  // After the entry: a timer that finds the keyring on the agenda finds the entry too.
  const id = `${KEYRING_PURGE_PREFIX}${place.keyringId}`;
  await putOnAgenda(tables, { kind: 'purge', companyId: place.companyId, id });
}

/** One page of what is due at `now`. */
export async function listDue(
  tables: Tables,
  place: KeyringPlace,
  query: { readonly now: string; readonly limit: number; readonly after: string },
): Promise<{ readonly due: readonly PurgeEntry[]; readonly last: string | undefined }> {
  const rows = listOf(place);
  let continuation: string | undefined;
  do {
    const page = await tables.list({
      ...rows,
      after: query.after,
      before: dueBy(query.now),
      limit: query.limit,
      ...(continuation === undefined ? {} : { continuation }),
    });
    const last = page.rows.at(-1)?.rowKey;
    if (last !== undefined) return { due: page.rows.flatMap((row) => entryOf(place, row)), last };
    continuation = page.continuation;
  } while (continuation !== undefined);
  return { due: [], last: undefined };
}

const listOf = (place: KeyringPlace): { readonly table: 'agenda'; readonly partitionKey: string } => ({
  table: 'agenda',
  partitionKey: purgePartition(place),
});

function entryOf(keyring: KeyringPlace, { rowKey, etag }: StoredRow): readonly PurgeEntry[] {
  const place = purgePlaceOf(keyring, rowKey);
  if (!place || !isDataKeyId(place.keyId)) return [];
  const { keyId, purgeAfter } = place;
  return [{ keyId, purgeAfter, value: undefined, etag, at: { ...at(purgeRow, place), rowKey } }];
}

/** When the next entry after `now` is due; undefined if there is none. */
export async function nextDue(tables: Tables, place: KeyringPlace, now: string): Promise<string | undefined> {
  const { rows } = await listSome(tables, { ...listOf(place), after: dueBy(now), limit: 1 });
  const [next] = rows;
  return next && purgePlaceOf(place, next.rowKey)?.purgeAfter;
}

/** A lost race is harmless: the winner removes them, or the next visit does. */
export async function takeOffPurgeList(tables: Tables, entries: readonly Found<undefined>[]): Promise<void> {
  for (let start = 0; start < entries.length; start += MAX_WRITES_PER_TRANSACTION) {
    const some = entries.slice(start, start + MAX_WRITES_PER_TRANSACTION);
    await changeOnce({ tables }, (tx) => {
      for (const entry of some) tx.delete(entry);
      return undefined;
    });
  }
}
