// The two ways out of quarantine for one data key: `retry` moves it there and then or leaves it as it is; `accept-loss` keeps the
// row, marked, and later passes skip it. Each is one transaction with the `!shard` row.
import type { Actor } from '../../domain/audit.ts';
import type { DataKey } from '../../domain/data-key.ts';
import { retryRow, type RowStep } from '../../domain/reprotect-row.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { readDataKey } from '../../domain/rows/data-rows.ts';
import { dataKeysPartition } from '../../domain/rows/row-keys.ts';
import { shardOf } from '../../domain/shard.ts';
import { isEnded, turnOf, type Switch } from '../../domain/switch.ts';
import { DATA_KEY_NONCE_BYTES } from '../../domain/data-key-blob.ts';
import type { Auditing } from '../audit/append.ts';
import { audited, type ActRecord } from '../audit/audited.ts';
import { loadKeyring, loadSwitch } from '../control-state.ts';
import type { StoredRow, Tables, WorkQueue } from '../ports.ts';
import { settleRaces } from '../races.ts';
import { loadShard, loadShards, type LoadedShard, type ShardPlace } from '../shard-rows.ts';
import { enqueue, isDone } from './enqueue.ts';
import { writeRows } from './pass-writes.ts';
import { actOnSwitch, type SwitchPlace } from './switch-writes.ts';
import type { WorkerKeyProblem, WorkerKeys } from './worker-keys.ts';

export interface QuarantineDependencies extends Auditing {
  readonly workerKeys: WorkerKeys;
  readonly queue: WorkQueue;
}

type Decided = Result<undefined, Refusal> | 'lost-race';
type Place = SwitchPlace & { readonly keyId: string };

interface Found {
  readonly sw: Switch;
  readonly shardPlace: ShardPlace;
  readonly shard: LoadedShard;
  readonly row: StoredRow;
  readonly key: DataKey;
  readonly record: ActRecord;
}

/** Refused with `data-key-quarantined` if the row still does not open. */
export function retryQuarantined(
  deps: QuarantineDependencies,
  place: Place,
  actor: Actor,
): Promise<Result<undefined, Refusal>> {
  return decide(deps, place, { action: 'data-key.quarantine-retried', actor }, async (found) => {
    const { sw, shard, key } = found;
    const turn = turnOf(sw);
    if (shard.value.generation !== turn.generation) return err({ type: 'busy', retryAfterSeconds: 2 });
    const fromKey = await deps.workerKeys.get(place.companyId, sw, { version: turn.fromVersion, use: 'rewrap' });
    if (!fromKey.ok) return err(refusalFor(fromKey.error));
    const toKey = await deps.workerKeys.get(place.companyId, sw, { version: turn.writeVersion, use: 'verify' });
    if (!toKey.ok) return err(refusalFor(toKey.error));
    const nonce = (): Uint8Array => deps.entropy.bytes(DATA_KEY_NONCE_BYTES);
    const pass = { ...place, ...turn, fromKey: fromKey.value, toKey: toKey.value, nonce };
    const step = retryRow(pass, key);
    if (!step) {
      const message = `The row does not open (${key.quarantineReason ?? 'unknown reason'}). It was left as it is.`;
      return err({ type: 'state', code: 'data-key-quarantined', message });
    }
    return write(deps, found, step);
  });
}

/** The row is kept; nothing will ever try to open it again. Only for a partner admin, who answers for it. */
export function acceptLoss(
  deps: QuarantineDependencies,
  place: Place,
  actor: Actor,
): Promise<Result<undefined, Refusal>> {
  return decide(deps, place, { action: 'data-key.loss-accepted', actor }, (found) => {
    const counts = {
      quarantined: -1,
      lost: 1,
      done: found.key.companyKeyVersion === found.shard.value.writeVersion ? -1 : 0,
    };
    return write(deps, found, { change: { state: 'lost' }, counts, released: true });
  });
}

async function decide(
  deps: QuarantineDependencies,
  place: Place,
  what: { readonly action: string; readonly actor: Actor },
  act: (found: Found) => Promise<Decided>,
): Promise<Result<undefined, Refusal>> {
  const attempt = async (record: ActRecord): Promise<Decided> => {
    if (await record.landed()) return ok(undefined);
    const found = await find(deps, place);
    return found.ok ? act({ ...found.value, record }) : found;
  };
  const about = { ...actOnSwitch(what.action, place), target: place.keyId, detail: { switchId: place.switchId } };
  const decided = await audited(deps, what.actor, about, (record) => settleRaces(deps, () => attempt(record)));
  if (!decided.ok) return decided;
  const { companyId, keyringId, switchId, keyId } = place;
  deps.log.write({ level: 'warning', event: what.action, detail: { companyId, keyringId, switchId, keyId } });
  if (await isAllDone(deps, place))
    await enqueue(deps, place, [{ format: 1, kind: 'advance', attempt: 0, companyId, keyringId, switchId }]);
  return decided;
}

/** Until then the worker of the last shard ends the switch; a message more would only put another worker beside each. */
async function isAllDone(deps: QuarantineDependencies, place: Place): Promise<boolean> {
  const [keyring, sw] = await Promise.all([loadKeyring(deps.tables, place), loadSwitch(deps.tables, place)]);
  if (!keyring || !sw) return false;
  const shards = await loadShards(deps.tables, { ...place, shardCount: keyring.value.shardCount });
  return shards.every((shard) => isDone(shard, sw.value.generation));
}

async function find(deps: QuarantineDependencies, place: Place): Promise<Result<Omit<Found, 'record'>, Refusal>> {
  const [keyring, sw] = await Promise.all([loadKeyring(deps.tables, place), loadSwitch(deps.tables, place)]);
  if (!keyring || !sw) return err(notFound('switch', place.switchId));
  if (isEnded(sw.value.state))
    return err({ type: 'state', code: 'switch-ended', message: `The switch is ${sw.value.state}.` });
  const { companyId, keyringId, keyId } = place;
  const shardPlace = { companyId, keyringId, shard: shardOf(keyId, keyring.value.shardCount) };
  const shard = await loadShard(deps.tables, shardPlace);
  const row = await deps.tables.read('datakeys', dataKeysPartition(shardPlace), keyId);
  if (!shard || !row) return err(notFound('data-key', keyId));
  const key = readDataKey(keyId, row.cells);
  if (key.state !== 'quarantined') {
    return err({ type: 'state', code: 'data-key-not-quarantined', message: `The data key is ${key.state}.` });
  }
  return ok({ sw: sw.value, shardPlace, shard, row, key });
}

async function write(deps: QuarantineDependencies, found: Found, step: RowStep): Promise<Decided> {
  const { row, shard, shardPlace, record } = found;
  const { cursor, phase } = shard.value;
  const writer = deps.entropy.id();
  const written = await writeRows({ ...deps, tables: recordedIn(deps.tables, record) }, shardPlace, {
    from: shard,
    rows: [row],
    decide: () => step,
    end: { cursor, phase },
    writer,
  });
  if (written) return ok(undefined);
  // Its answer may have been lost, and the shard been written by others since: the row says whose write it is.
  const now = await deps.tables.read('datakeys', dataKeysPartition(shardPlace), row.rowKey);
  const isOwn = now && readDataKey(row.rowKey, now.cells).writtenBy.startsWith(`${writer}.`);
  return isOwn ? ok(undefined) : 'lost-race';
}

/** The one transaction that moves the row carries its event. */
const recordedIn = (tables: Tables, record: ActRecord): Tables => ({
  read: (...place) => tables.read(...place),
  list: (query) => tables.list(query),
  write: (_table, partitionKey, writes) => record.write('datakeys', partitionKey, writes),
});

function refusalFor(problem: WorkerKeyProblem): Refusal {
  return problem.type === 'gone' ? { type: 'busy', retryAfterSeconds: 2 } : refusedBy(problem.failure);
}
