// Deletes what a company leaves behind, once it is decided that it has no keys in use or restorable. That is final, so a process that wakes up much
// later still deletes nothing that is needed. Each row is deleted under the ETag it was read with, a data key's only from a closed shard
// without keys in use. A closed row and the record stay.
import pLimit from 'p-limit';
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Company, Keyring } from '../../domain/keyring.ts';
import type { Result } from '../../domain/result.ts';
import { actOnce, changeOnce } from '../../store/act.ts';
import { claimantRow, WHOLE_VAULT } from '../../store/rows/claim-rows.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import { keyringOfRow } from '../../store/rows/keyring-rows.ts';
import { connectionsOf } from '../../store/rows/sealed-rows.ts';
import { itemsOfCompany, takeOffAgenda } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import type { ClockGuard } from '../../store/clock-guard.ts';
import { loadCompany } from '../../store/control-state.ts';
import { firstRows, listControlRows } from '../../store/first-rows.ts';
import { at, find, list, type Found, type Loaded } from '../../store/found.ts';
import { emptyShard, type Removal } from './empty-shard.ts';
import { KEYRING_PURGE_PREFIX } from '../data-keys/purge-list.ts';
import { cursorRow, webhooksOf } from '../../store/rows/webhook-rows.ts';
import { purgePartition } from '../../store/rows/purge-rows.ts';
import { MAX_WRITES_PER_TRANSACTION, type Cells } from '../../store/tables.ts';
import type { Undecided } from '../../store/races.ts';
import { shardPlaces } from '../../store/shard-rows.ts';

export interface Removing extends Auditing {
  readonly clockGuard: ClockGuard;
}

const SHARDS_IN_FLIGHT = 8;
/** Beside the company's own. */
const ROWS_AT_ONCE = MAX_WRITES_PER_TRANSACTION - 1;

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
    const listed = await emptyPartition(deps, input, { table: 'agenda', partitionKey: purgePartition(place) });
    if (listed !== 'removed') return listed;
    const item = { kind: 'purge', companyId, id: `${KEYRING_PURGE_PREFIX}${value.keyringId}` } as const;
    await takeOffAgenda(deps.tables, item);
  }
  for (const table of ['requests', 'health'] as const) {
    const emptied = await emptyPartition(deps, input, { table, partitionKey: companyId });
    if (emptied !== 'removed') return emptied;
  }
  for (const { place } of await list(deps.tables, webhooksOf, { companyId })) {
    const { table, partitionKey } = at(cursorRow, { webhook: place, companyId });
    const emptied = await emptyPartition(deps, input, { table, partitionKey });
    if (emptied !== 'removed') return emptied;
  }
  for (const kind of ['vendor-key', 'given-up'] as const) {
    const emptied = await emptyPartition(deps, input, itemsOfCompany(kind, companyId));
    if (emptied !== 'removed') return emptied;
  }
  const released = await releaseClaims(deps, companyId);
  if (released !== 'removed') return released;
  return removeControlRows(deps, input);
}

async function emptyPartition(
  deps: Removing,
  { deadline }: Removed,
  where: Parameters<typeof firstRows>[1],
): Promise<Removal> {
  while (deps.clock.now() < deadline) {
    const rows = await firstRows(deps.tables, where);
    if (rows.length === 0) return 'removed';
    await changeOnce(deps, (tx) => {
      for (const row of rows) tx.delete(row);
    });
  }
  return 'out-of-time';
}

/** Vault keys that this company, and no other, had claimed. Its connections name them, and go only after all of them. */
async function releaseClaims(deps: Removing, companyId: string): Promise<Removal> {
  for (const { value: connection } of await list(deps.tables, connectionsOf, { companyId })) {
    for (const keyName of connection ? [connection.keyName, WHOLE_VAULT] : []) {
      const claim = connection && (await find(deps.tables, claimantRow, { host: connection.host, keyName }));
      if (claim?.value !== companyId) continue;
      const released = await changeOnce(deps, (tx) => {
        tx.delete(claim);
      });
      if (!released.ok) return released.error;
    }
  }
  return 'removed';
}

/** All that is left but events on their way, until none is found; the company's own row is closed at the very end. Each transaction carries it. */
async function removeControlRows(deps: Removing, { companyId, keyrings, deadline }: Removed): Promise<Removal> {
  const { tables } = deps;
  let own = await loadCompany(tables, companyId);
  if (!own) return 'removed';
  if (own.value.closing?.decided !== true) return 'lost-race';
  // Delete a company key only if the shards of its keyring were looked at: a list may have left the keyring out.
  const emptied = new Set(keyrings.map(({ value }) => value.keyringId));
  for (
    let rows = await listControlRows(tables, companyId);
    rows.length > 0;
    rows = await listControlRows(tables, companyId)
  ) {
    if (deps.clock.now() >= deadline) return 'out-of-time';
    const ofKeyrings = rows.flatMap(({ at }) => keyringOfRow(at.rowKey) ?? []);
    if (ofKeyrings.some((keyringId) => !emptied.has(keyringId))) return 'lost-race';
    for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
      const removed = await remove(deps, own, rows.slice(start, start + ROWS_AT_ONCE));
      if (!removed.ok) return removed.error;
      own = removed.value;
    }
  }
  const last = own;
  const closedAt = deps.clock.now().toISOString();
  const about = { actor: KEYSWITCH, action: 'company.deleted', companyId, target: companyRow.key({ companyId }) };
  const closed = await actOnce(deps, about, (tx) => {
    tx.replace(last, { ...last.value, state: 'closed', closing: undefined, closedAt });
  });
  return closed.ok ? 'removed' : closed.error;
}

/** The company's row under its new ETag. */
const remove = (
  deps: Removing,
  own: Found<Company>,
  rows: readonly Found<Cells>[],
): Promise<Result<Found<Company>, Undecided>> =>
  changeOnce(deps, (tx) => {
    const guarded = tx.guard(own);
    for (const row of rows) tx.delete(row);
    return guarded;
  });
