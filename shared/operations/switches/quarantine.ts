// The two ways for a data key to leave quarantine: `retry` moves it at once or leaves it as it is; `accept-loss` marks the row as lost and keeps it, if
// no key at hand opens it. A lost row that opens later comes back, by `retry` or in any later pass. Each is one transaction with the
// `!shard` row.
import type { Actor } from '../../domain/audit.ts';
import type { DataKey, DataKeyState } from '../../domain/data-key.ts';
import { opensAt, retryRow, type PassContext, type RowStep } from '../../domain/reprotect-row.ts';
import type { Failure } from '../../domain/failure.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { dataKeyRow } from '../../store/rows/data-rows.ts';
import { find as findRow, type Loaded } from '../../store/found.ts';
import type { Tx } from '../../store/tx.ts';
import { shardOf } from '../../domain/shard.ts';
import { isEnded, turnOf, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import { DATA_KEY_NONCE_BYTES } from '../../domain/data-key-blob.ts';
import { act, type Acted } from '../../store/act.ts';
import type { Recording } from '../../store/record-event.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import { alarmKeptKey } from '../keys/kept-keys.ts';
import type { WorkQueue } from '../../domain/ports.ts';
import { loadShard, loadShards, type LoadedShard, type ShardPlace } from '../../store/shard-rows.ts';
import { decisionKeys } from './decision-keys.ts';
import { enqueue, isDone } from './messages.ts';
import { writeRow } from './write-rows.ts';
import { actOnSwitch } from './switch-writes.ts';
import type { WorkerKeyProblem, WorkerKeys } from '../keys/worker-keys.ts';

export interface QuarantineDependencies extends Recording {
  readonly workerKeys: WorkerKeys;
  readonly queue: WorkQueue;
}

type Decided = Acted<undefined>;
type Place = SwitchPlace & { readonly keyId: string };

interface Found {
  readonly sw: Switch;
  readonly shardPlace: ShardPlace;
  readonly shard: LoadedShard;
  readonly row: Loaded<DataKey>;
  readonly key: DataKey;
  readonly tx: Tx;
}

/** Refused with `data-key-quarantined`, or `data-key-lost`, if the row still does not open. */
export function retryQuarantined(
  deps: QuarantineDependencies,
  place: Place,
  actor: Actor,
): Promise<Result<undefined, Refusal>> {
  const about = { action: 'data-key.quarantine-retried', actor, states: ['quarantined', 'lost'] } as const;
  return decide(deps, place, about, async (found) => {
    const { sw, shard, key } = found;
    if (shard.value.generation !== turnOf(sw).generation) return err({ type: 'busy', retryAfterSeconds: 2 });
    const tried = await tryKeys(deps, place, found);
    if (!tried.ok) return tried;
    const step = retryRow(tried.value.pass, key);
    if (step) return write(deps, found, step);
    if (tried.value.missing) return err(refusedBy(tried.value.missing));
    const code = key.state === 'lost' ? 'data-key-lost' : 'data-key-quarantined';
    const message = `The row does not open (${key.quarantineReason ?? 'unknown reason'}). It was left as it is.`;
    return err({ type: 'state', code, message });
  });
}

/**
 * The row is kept. Refused with `data-key-opens` if any key opens it, and with the failure if a key that might cannot be had. Only a vendor admin may do
 * this.
 */
export function acceptLoss(
  deps: QuarantineDependencies,
  place: Place,
  actor: Actor,
): Promise<Result<undefined, Refusal>> {
  const about = { action: 'data-key.loss-accepted', actor, states: ['quarantined'] } as const;
  return decide(deps, place, about, async (found) => {
    const tried = await tryKeys(deps, place, found);
    if (!tried.ok) return tried;
    if (tried.value.opens) {
      const message = 'The data key opens: nothing is lost. Retry it, or cancel the switch.';
      return err({ type: 'state', code: 'data-key-opens', message });
    }
    // The key that could not be had may be the one that opens it.
    if (tried.value.missing) return err(refusedBy(tried.value.missing));
    return write(deps, found, { change: { state: 'lost' }, released: true });
  });
}

interface Tried {
  readonly pass: PassContext;
  readonly opens: boolean;
  /** Why a further company key could not be had. A row that opens without it does not wait for it. */
  readonly missing?: Failure | undefined;
}

/** Tries the row with every company key of the keyring, since its label may be wrong. Each use of a kept key is recorded. */
async function tryKeys(
  deps: QuarantineDependencies,
  place: Place,
  { sw, key }: Found,
): Promise<Result<Tried, Refusal>> {
  const turn = turnOf(sw);
  const { companyId, keyringId } = place;
  const fromKey = await deps.workerKeys.get(companyId, sw, { version: turn.fromVersion, use: 'rewrap' });
  if (!fromKey.ok) return err(refusalFor(fromKey.error));
  const toKey = await deps.workerKeys.get(companyId, sw, { version: turn.writeVersion, use: 'verify' });
  if (!toKey.ok) return err(refusalFor(toKey.error));
  const moved = new Map([
    [turn.fromVersion, fromKey.value],
    [turn.writeVersion, toKey.value],
  ]);
  const { keys: otherKeys, isKept, missing } = await decisionKeys(deps, place, { sw, moved });
  const nonce = (): Uint8Array => deps.entropy.bytes(DATA_KEY_NONCE_BYTES);
  const pass = { ...place, ...turn, fromKey: fromKey.value, toKey: toKey.value, otherKeys, nonce };
  const version = opensAt(pass, key);
  if (version !== undefined && isKept(version))
    await alarmKeptKey(deps, { companyId, keyringId, version }, { by: 'decision', dataKeys: 1 });
  return ok({ pass, opens: version !== undefined, missing });
}

async function decide(
  deps: QuarantineDependencies,
  place: Place,
  what: { readonly action: string; readonly actor: Actor; readonly states: readonly DataKeyState[] },
  decideOn: (found: Found) => Promise<Decided>,
): Promise<Result<undefined, Refusal>> {
  const { companyId, keyringId, switchId, keyId } = place;
  const about = { actor: what.actor, ...actOnSwitch(what.action, place), target: keyId, detail: { switchId } };
  const decided = await act<undefined>(deps, about, async (tx) => {
    const found = await find(deps, place, what.states);
    return found.ok ? decideOn({ ...found.value, tx }) : found;
  });
  if (!decided.ok) return decided;
  deps.log.write({ level: 'warning', event: what.action, detail: { companyId, keyringId, switchId, keyId } });
  if (await isAllDone(deps, place))
    await enqueue(deps, place, [{ format: 1, kind: 'advance', attempt: 0, companyId, keyringId, switchId }]);
  return decided;
}

/** Whether to send a message: until all shards are done, the worker of the last one ends the switch anyway. */
async function isAllDone(deps: QuarantineDependencies, place: Place): Promise<boolean> {
  const [keyring, sw] = await Promise.all([loadKeyring(deps.tables, place), loadSwitch(deps.tables, place)]);
  if (!keyring || !sw) return false;
  const shards = await loadShards(deps.tables, { ...place, shardCount: keyring.value.shardCount });
  return shards.every((shard) => isDone(shard, turnOf(sw.value)));
}

async function find(
  deps: QuarantineDependencies,
  place: Place,
  states: readonly DataKeyState[],
): Promise<Result<Omit<Found, 'tx'>, Refusal>> {
  const [keyring, sw] = await Promise.all([loadKeyring(deps.tables, place), loadSwitch(deps.tables, place)]);
  if (!keyring || !sw) return err(notFound('switch', place.switchId));
  if (isEnded(sw.value.state))
    return err({ type: 'state', code: 'switch-ended', message: `The switch is ${sw.value.state}.` });
  const { companyId, keyringId, keyId } = place;
  const shardPlace = { companyId, keyringId, shard: shardOf(keyId, keyring.value.shardCount) };
  const shard = await loadShard(deps.tables, shardPlace);
  const row = await findRow(deps.tables, dataKeyRow, { ...shardPlace, keyId });
  if (!shard || !row) return err(notFound('data-key', keyId));
  const key = row.value;
  if (!states.includes(key.state)) {
    return err({ type: 'state', code: 'data-key-not-quarantined', message: `The data key is ${key.state}.` });
  }
  return ok({ sw: sw.value, shardPlace, shard, row, key });
}

/** Moves the row, with the act's event, in one transaction. */
async function write(deps: QuarantineDependencies, found: Found, step: RowStep): Promise<Decided> {
  const { tx, row, shard, shardPlace } = found;
  const tellCounts = await writeRow(deps, shardPlace, { tx, from: shard, row, step });
  const done = (): undefined => {
    tellCounts();
  };
  return { done, ifLanded: () => ok(undefined) };
}

function refusalFor(problem: WorkerKeyProblem): Refusal {
  return problem.type === 'gone' ? { type: 'busy', retryAfterSeconds: 2 } : refusedBy(problem.failure);
}
