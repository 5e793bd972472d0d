// Taking away what a company leaves behind, once it is decided that it has no keys in use and none to restore: that is for ever, so
// whoever thaws long after takes nothing that anybody needs. Each row goes under the ETag that it had, a data key's only from a closed
// shard without keys in use. A closed row stays, and the record.
import pLimit from 'p-limit';
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Company, Keyring } from '../../domain/keyring.ts';
import { text } from '../../store/rows/cells.ts';
import {
  CLAIM_ROW_KEY,
  claimPartition,
  COMPANY_ROW_KEY,
  OUTBOX_PREFIX,
  rowKeysUnder,
} from '../../store/rows/row-keys.ts';
import { readConnection } from '../../store/rows/sealed-rows.ts';
import { takeOffAgenda } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import { audited } from '../../store/audited.ts';
import type { ClockGuard } from '../../store/clock-guard.ts';
import { listAll, loadCompany, type Loaded } from '../../store/control-state.ts';
import { emptyShard, firstRows, ROWS_AT_ONCE, type Removal } from './empty-shard.ts';
import { KEYRING_PURGE_PREFIX, purgePartition } from '../data-keys/purge-list.ts';
import type { StoredRow, TableName, Tables } from '../../store/tables.ts';
import { undecided } from '../../store/races.ts';
import { shardPlaces } from '../../store/shard-rows.ts';
import { guard, replaceCompany } from '../../store/control-writes.ts';

export interface Removing extends Auditing {
  readonly clockGuard: ClockGuard;
}

const SHARDS_IN_FLIGHT = 8;

interface Removed {
  readonly companyId: string;
  readonly keyrings: readonly Loaded<Keyring>[];
  readonly deadline: Date;
}

export async function removeCompany(deps: Removing, input: Removed): Promise<Removal> {
  const { companyId } = input;
  const shards = input.keyrings.flatMap(({ value }) => shardPlaces({ ...value, companyId }));
  const emptied = await pLimit(SHARDS_IN_FLIGHT).map(shards, (place) => emptyShard(deps, place, input.deadline));
  for (const removal of ['no-answer', 'lost-race', 'out-of-time', 'later'] as const)
    if (emptied.includes(removal)) return removal;
  for (const { value } of input.keyrings) {
    const place = { companyId, keyringId: value.keyringId };
    const listed = await emptyPartition(deps, input, 'agenda', purgePartition(place));
    if (listed !== 'removed') return listed;
    const item = { kind: 'purge', companyId, id: `${KEYRING_PURGE_PREFIX}${value.keyringId}` } as const;
    await takeOffAgenda(deps.tables, item);
  }
  for (const table of ['requests', 'health'] as const) {
    const emptied = await emptyPartition(deps, input, table, companyId);
    if (emptied !== 'removed') return emptied;
  }
  const released = await releaseClaims(deps.tables, companyId);
  if (released !== 'removed') return released;
  return removeControlRows(deps, input);
}

async function emptyPartition(
  deps: Removing,
  { deadline }: Removed,
  table: TableName,
  partitionKey: string,
): Promise<Removal> {
  while (deps.clock.now() < deadline) {
    const rows = await firstRows(deps.tables, table, partitionKey);
    if (rows.length === 0) return 'removed';
    const deletes = rows.map(({ rowKey, etag }) => ({ kind: 'delete', rowKey, etag }) as const);
    await deps.tables.write(table, partitionKey, deletes);
  }
  return 'out-of-time';
}

/** Vault keys that this company, and no other, had claimed. Its connections name them, and go only after all of them. */
async function releaseClaims(tables: Tables, companyId: string): Promise<Removal> {
  const range = rowKeysUnder('connection|');
  for (const row of await listAll(tables, { table: 'companies', partitionKey: companyId, ...range })) {
    const connection = readConnection(row.cells, row.rowKey.slice('connection|'.length));
    if (!connection) continue;
    const partition = claimPartition(connection);
    const claim = await tables.read('vaultkeys', partition, CLAIM_ROW_KEY);
    if (!claim || text(claim.cells, 'companyId') !== companyId) continue;
    const gone = { kind: 'delete', rowKey: CLAIM_ROW_KEY, etag: claim.etag } as const;
    const written = await tables.write('vaultkeys', partition, [gone]);
    if (written.outcome !== 'committed') return undecided(written);
  }
  return 'removed';
}

const OF_KEYRINGS = ['keyring', 'companykey', 'keptkey'];

function isOfOne(rowKey: string, keyringIds: ReadonlySet<string>): boolean {
  const [kind = '', keyringId = ''] = rowKey.split('|');
  return !OF_KEYRINGS.includes(kind) || keyringIds.has(keyringId);
}

/** All that is left but events on their way, until none is found; the company's own row is closed at the very end. Each transaction carries it. */
async function removeControlRows(deps: Removing, { companyId, keyrings, deadline }: Removed): Promise<Removal> {
  const { tables } = deps;
  const own = await loadCompany(tables, companyId);
  if (!own) return 'removed';
  if (own.value.closing?.decided !== true) return 'lost-race';
  // A company key goes only where the shards of its keyring were looked at: a list may have left the keyring out.
  const emptied = new Set(keyrings.map(({ value }) => value.keyringId));
  let { etag } = own;
  for (let rows = await controlRows(tables, companyId); rows.length > 0; rows = await controlRows(tables, companyId)) {
    if (deps.clock.now() >= deadline) return 'out-of-time';
    if (rows.some(({ rowKey }) => !isOfOne(rowKey, emptied))) return 'lost-race';
    for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
      const deletes = rows
        .slice(start, start + ROWS_AT_ONCE)
        .map((row) => ({ kind: 'delete', rowKey: row.rowKey, etag: row.etag }) as const);
      const written = await tables.write('companies', companyId, [guard(COMPANY_ROW_KEY, etag), ...deletes]);
      if (written.outcome !== 'committed') return undecided(written);
      etag = written.etags[0] ?? '';
    }
  }
  const closedAt = deps.clock.now().toISOString();
  const closed: Company = { ...own.value, state: 'closed', closing: undefined, closedAt };
  const act = { action: 'company.deleted', companyId, target: COMPANY_ROW_KEY };
  const written = await audited(deps, KEYSWITCH, act, (record) =>
    record.write('companies', companyId, [replaceCompany({ value: own.value, etag }, closed)]),
  );
  return written.outcome === 'committed' ? 'removed' : undecided(written);
}

async function controlRows(tables: Tables, companyId: string): Promise<StoredRow[]> {
  const all = await listAll(tables, { table: 'companies', partitionKey: companyId, after: '', before: '~' });
  return all.filter(({ rowKey }) => rowKey !== COMPANY_ROW_KEY && !rowKey.startsWith(OUTBOX_PREFIX));
}
