// Which soft-deleted data keys are due to be purged, and when: a partition of the agenda for each keyring, in the order of time,
// so that no timer scans a keyring for them. An entry is inserted before the key is deleted and taken away after it is purged: a
// superset, checked against the key's row. The keyring itself stays on the agenda from its first delete until it is gone.
import { isDataKeyId } from '../../domain/ids.ts';
import { putOnAgenda } from '../../store/agenda.ts';
import { listSome } from '../../store/control-state.ts';
import { MAX_WRITES_PER_TRANSACTION, type Tables } from '../../store/tables.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import type { KeyringPlace } from './keyring-shards.ts';

export interface PurgeEntry {
  readonly keyId: string;
  readonly purgeAfter: string;
  readonly rowKey: string;
  readonly etag: string;
}

export const KEYRING_PURGE_PREFIX = 'keyring|';
const MAX_SENDS = 3;

export const purgePartition = ({ companyId, keyringId }: KeyringPlace): string => `purge|${companyId}|${keyringId}`;

/** Throws StoreUnavailable if it cannot be told whether it was noted. */
export async function noteForPurge(
  tables: Tables,
  place: KeyringPlace,
  entry: { readonly keyId: string; readonly purgeAfter: string },
): Promise<void> {
  const rowKey = `${entry.purgeAfter}|${entry.keyId}`;
  const write = { kind: 'insert', rowKey, cells: { format: 1 } } as const;
  for (let sends = 0; ; sends += 1) {
    if (sends === MAX_SENDS) throw new StoreUnavailable('the list of what to purge could not be written');
    const written = await tables.write('agenda', purgePartition(place), [write]);
    if (written.outcome === 'committed' || (written.outcome === 'conflict' && written.reason === 'exists')) break;
  }
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
  const partitionKey = purgePartition(place);
  let continuation: string | undefined;
  do {
    const page = await tables.list({
      table: 'agenda',
      partitionKey,
      after: query.after,
      before: `${query.now}}`,
      limit: query.limit,
      ...(continuation === undefined ? {} : { continuation }),
    });
    const last = page.rows.at(-1)?.rowKey;
    if (last !== undefined) {
      const due = page.rows.flatMap(({ rowKey, etag }) => {
        const [purgeAfter = '', keyId = ''] = rowKey.split('|');
        return isDataKeyId(keyId) ? [{ keyId, purgeAfter, rowKey, etag }] : [];
      });
      return { due, last };
    }
    continuation = page.continuation;
  } while (continuation !== undefined);
  return { due: [], last: undefined };
}

/** When the next entry after `now` is due; undefined if there is none. */
export async function nextDue(tables: Tables, place: KeyringPlace, now: string): Promise<string | undefined> {
  const query = { table: 'agenda', partitionKey: purgePartition(place), after: `${now}}`, limit: 1 } as const;
  const { rows } = await listSome(tables, query);
  return rows[0]?.rowKey.split('|')[0];
}

/** Losing a race is no harm: the winner takes them away, or the next visit does. */
export async function takeOffPurgeList(
  tables: Tables,
  place: KeyringPlace,
  entries: readonly { readonly rowKey: string; readonly etag: string }[],
): Promise<void> {
  for (let start = 0; start < entries.length; start += MAX_WRITES_PER_TRANSACTION) {
    const some = entries.slice(start, start + MAX_WRITES_PER_TRANSACTION);
    const deletes = some.map(({ rowKey, etag }) => ({ kind: 'delete', rowKey, etag }) as const);
    await tables.write('agenda', purgePartition(place), deletes);
  }
}
