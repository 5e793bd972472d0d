// Taking away what a company leaves behind, once it is decided that it has no keys in use. Whoever thaws long after may meet a
// company of the same id: so a row goes only under the ETag that it had when the company was still the very one that was to be
// deleted, and a data key's row only from a closed shard without keys in use.
import pLimit from 'p-limit';
import { KEYSWITCH } from '../domain/audit.ts';
import type { Company, Keyring } from '../domain/keyring.ts';
import { text } from '../domain/rows/cells.ts';
import { readDataKey } from '../domain/rows/data-rows.ts';
import {
  CLAIM_ROW_KEY,
  claimPartition,
  COMPANY_ROW_KEY,
  dataKeysPartition,
  OUTBOX_PREFIX,
  rowKeysUnder,
  SHARD_OUTBOX_PREFIX,
} from '../domain/rows/row-keys.ts';
import { readConnection } from '../domain/rows/sealed-rows.ts';
import { counted, SHARD_ROW_KEY, type Shard } from '../domain/shard.ts';
import type { RowMove } from '../domain/shard-counts.ts';
import { takeOffAgenda } from './agenda.ts';
import type { Auditing } from './audit/append.ts';
import { audited } from './audit/audited.ts';
import { listAll, loadCompany, type Loaded } from './control-state.ts';
import { KEYRING_PURGE_PREFIX, purgePartition } from './data-keys/purge-list.ts';
import { MAX_WRITES_PER_TRANSACTION, type StoredRow, type TableName, type Tables } from './ports.ts';
import { undecided, type Undecided } from './races.ts';
import { retireVersions } from './retired-versions.ts';
import { loadShard, shardWrite, type ShardPlace } from './shard-rows.ts';

export type Removing = Auditing;

export type Removal = 'removed' | 'out-of-time' | Undecided;

const SHARDS_IN_FLIGHT = 8;
const ROWS_AT_ONCE = MAX_WRITES_PER_TRANSACTION - 1;

interface Removed {
  readonly company: Company;
  readonly keyrings: readonly Loaded<Keyring>[];
  readonly deadline: Date;
}

export async function removeCompany(deps: Removing, input: Removed): Promise<Removal> {
  const { companyId } = input.company;
  const shards = input.keyrings.flatMap(({ value: { keyringId, shardCount } }) =>
    Array.from({ length: shardCount }, (_, shard) => ({ companyId, keyringId, shard })),
  );
  const emptied = await pLimit(SHARDS_IN_FLIGHT).map(shards, (place) => emptyShard(deps, place, input));
  for (const removal of ['no-answer', 'lost-race', 'out-of-time'] as const)
    if (emptied.includes(removal)) return removal;
  for (const { value } of input.keyrings) {
    const place = { companyId, keyringId: value.keyringId };
    const listed = await emptyPartition(deps, input, 'agenda', purgePartition(place));
    if (listed !== 'removed') return listed;
    const item = { kind: 'purge', companyId, id: `${KEYRING_PURGE_PREFIX}${value.keyringId}` } as const;
    await takeOffAgenda(deps.tables, item, () => isStill(deps.tables, input.company));
  }
  for (const table of ['requests', 'health'] as const) {
    const emptied = await emptyPartition(deps, input, table, companyId);
    if (emptied !== 'removed') return emptied;
  }
  const released = await releaseClaims(deps.tables, input.company);
  if (released !== 'removed') return released;
  const keyrings = input.keyrings.map(({ value }) => value);
  await retireVersions(deps.tables, companyId, keyrings);
  return removeControlRows(deps, input.company);
}

async function emptyShard(deps: Removing, place: ShardPlace, input: Removed): Promise<Removal> {
  const partition = dataKeysPartition(place);
  while (deps.clock.now() < input.deadline) {
    const shard = await loadShard(deps.tables, place);
    if (!shard) return 'removed';
    if (!isSpent(shard.value) || !(await isStill(deps.tables, input.company))) return 'lost-race';
    const rows = await firstRows(deps.tables, 'datakeys', partition);
    const deletes = rows.slice(0, ROWS_AT_ONCE).map(({ rowKey, etag }) => ({ kind: 'delete', rowKey, etag }) as const);
    const next = counted(shard.value, removalsOf(rows.slice(0, ROWS_AT_ONCE)));
    const written =
      deletes.length === 0
        ? await deps.tables.write('datakeys', partition, [{ kind: 'delete', rowKey: SHARD_ROW_KEY, etag: shard.etag }])
        : await deps.tables.write('datakeys', partition, [
            shardWrite(next, { etag: shard.etag, writtenBy: deps.entropy.id() }),
            ...deletes,
          ]);
    if (written.outcome === 'conflict') return 'lost-race';
  }
  return 'out-of-time';
}

const isSpent = (shard: Shard): boolean => shard.closed && shard.live === 0 && shard.quarantined === 0;

/** The very company that was to be deleted, and still to be deleted. */
async function isStill(tables: Tables, company: Company): Promise<boolean> {
  const now = await loadCompany(tables, company.companyId);
  return now !== undefined && isSame(now.value, company);
}

const isSame = (now: Company, company: Company): boolean =>
  now.state === 'closing' && now.createdAt === company.createdAt;

/** Exact to the last row: whoever reads the shard half way finds what is there. */
const removalsOf = (rows: readonly StoredRow[]): RowMove[] =>
  rows.flatMap(({ rowKey, cells }) => (rowKey.startsWith('!') ? [] : [{ before: readDataKey(rowKey, cells) }]));

/**
 * The first rows of a partition, past pages without any. A shard's own row goes by itself, after the last of them; events on their way to
 * the record are left there: delivered, not lost.
 */
async function firstRows(tables: Tables, table: TableName, partitionKey: string): Promise<readonly StoredRow[]> {
  let continuation: string | undefined;
  do {
    const page = await tables.list({
      table,
      partitionKey,
      limit: MAX_WRITES_PER_TRANSACTION,
      ...(continuation === undefined ? {} : { continuation }),
    });
    const rows = page.rows.filter(({ rowKey }) => rowKey !== SHARD_ROW_KEY && !rowKey.startsWith(SHARD_OUTBOX_PREFIX));
    if (rows.length > 0) return rows;
    continuation = page.continuation;
  } while (continuation !== undefined);
  return [];
}

async function emptyPartition(
  deps: Removing,
  { company, deadline }: Removed,
  table: TableName,
  partitionKey: string,
): Promise<Removal> {
  while (deps.clock.now() < deadline) {
    const rows = await firstRows(deps.tables, table, partitionKey);
    if (rows.length === 0) return 'removed';
    if (!(await isStill(deps.tables, company))) return 'lost-race';
    const deletes = rows.map(({ rowKey, etag }) => ({ kind: 'delete', rowKey, etag }) as const);
    await deps.tables.write(table, partitionKey, deletes);
  }
  return 'out-of-time';
}

/** Vault keys that this company, and no other, had claimed. Its connections name them, and go only after all of them. */
async function releaseClaims(tables: Tables, company: Company): Promise<Removal> {
  const { companyId } = company;
  const range = rowKeysUnder('connection|');
  for (const row of await listAll(tables, { table: 'companies', partitionKey: companyId, ...range })) {
    const connection = readConnection(row.cells, row.rowKey.slice('connection|'.length));
    if (!connection) continue;
    const partition = claimPartition(connection);
    const claim = await tables.read('vaultkeys', partition, CLAIM_ROW_KEY);
    if (!claim || text(claim.cells, 'companyId') !== companyId || !(await isStill(tables, company))) continue;
    const gone = { kind: 'delete', rowKey: CLAIM_ROW_KEY, etag: claim.etag } as const;
    const written = await tables.write('vaultkeys', partition, [gone]);
    if (written.outcome !== 'committed') return undecided(written);
  }
  return 'removed';
}

/** All that is left but events on their way, and the company's own row at the very end; each transaction carries it. */
async function removeControlRows(deps: Removing, company: Company): Promise<Removal> {
  const { tables } = deps;
  const { companyId } = company;
  const own = await loadCompany(tables, companyId);
  if (!own) return 'removed';
  if (!isSame(own.value, company)) return 'lost-race';
  const all = await listAll(tables, { table: 'companies', partitionKey: companyId, after: '', before: '~' });
  const rows = all.filter(({ rowKey }) => rowKey !== COMPANY_ROW_KEY && !rowKey.startsWith(OUTBOX_PREFIX));
  let { etag } = own;
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
    const deletes = rows
      .slice(start, start + ROWS_AT_ONCE)
      .map((row) => ({ kind: 'delete', rowKey: row.rowKey, etag: row.etag }) as const);
    const guard = { kind: 'merge', rowKey: COMPANY_ROW_KEY, cells: {}, etag } as const;
    const written = await tables.write('companies', companyId, [guard, ...deletes]);
    if (written.outcome !== 'committed') return undecided(written);
    etag = written.etags[0] ?? '';
  }
  const act = { action: 'company.deleted', companyId, target: COMPANY_ROW_KEY };
  const written = await audited(deps, KEYSWITCH, act, (record) =>
    record.write('companies', companyId, [{ kind: 'delete', rowKey: COMPANY_ROW_KEY, etag }]),
  );
  return written.outcome === 'committed' ? 'removed' : undecided(written);
}
