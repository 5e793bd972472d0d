// The company keys that a pass uses on rows: the two that the switch moves between, and kept ones where rows name another version.
import type { KeyObject } from 'node:crypto';
import { DATA_KEY_NONCE_BYTES } from '../../domain/data-key-blob.ts';
import type { DataKey } from '../../domain/data-key.ts';
import { rewrapRow, verifyRow, type PassContext, type RowStep } from '../../domain/reprotect-row.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Phase } from '../../domain/shard.ts';
import { turnOf, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import type { Recording } from '../../store/record-event.ts';
import { count, text } from '../../store/rows/cells.ts';
import type { RowPage } from '../../store/tables.ts';
import { alarmKeptKey } from '../keys/kept-keys.ts';
import type { WorkerKeyProblem, WorkerKeys, WorkerKeyUse } from '../keys/worker-keys.ts';
import { NO_PERMIT, type VaultPermits } from './vault-permits.ts';

export interface PassKeyReading extends Recording {
  readonly workerKeys: WorkerKeys;
  readonly vaultPermits: Pick<VaultPermits, 'run'>;
}

type PassKeys = Omit<PassContext, 'nonce' | 'otherKeys'> & { readonly freshKey?: KeyObject };

/** The company keys for this phase; the second pass has its own unwrapped again. */
export async function keysOf(
  deps: PassKeyReading,
  place: SwitchPlace,
  sw: Switch,
  phase: Phase,
): Promise<Result<PassKeys, WorkerKeyProblem> | typeof NO_PERMIT> {
  const { fromVersion, writeVersion } = turnOf(sw);
  const wanted: { readonly version: number; readonly use: WorkerKeyUse }[] = [
    { version: fromVersion, use: 'rewrap' },
    { version: writeVersion, use: 'rewrap' },
    ...(phase === 'rewrap' ? [] : [{ version: writeVersion, use: 'verify' } as const]),
  ];
  const areAtHand = wanted.every((key) => deps.workerKeys.isAtHand(place.companyId, sw, key));
  const open = (): Promise<Result<PassKeys, WorkerKeyProblem>> => openKeys(deps, place, sw, phase);
  return areAtHand ? open() : deps.vaultPermits.run(place.companyId, open, (keys) => keys.ok);
}

async function openKeys(
  deps: PassKeyReading,
  { companyId, keyringId }: SwitchPlace,
  sw: Switch,
  phase: Phase,
): Promise<Result<PassKeys, WorkerKeyProblem>> {
  const { direction, fromVersion, writeVersion } = turnOf(sw);
  const [fromKey, toKey] = await Promise.all([
    deps.workerKeys.get(companyId, sw, { version: fromVersion, use: 'rewrap' }),
    deps.workerKeys.get(companyId, sw, { version: writeVersion, use: 'rewrap' }),
  ]);
  if (!fromKey.ok) return fromKey;
  if (!toKey.ok) return toKey;
  const keys = {
    companyId,
    keyringId,
    direction,
    fromVersion,
    writeVersion,
    fromKey: fromKey.value,
    toKey: toKey.value,
  };
  if (phase === 'rewrap') return ok(keys);
  const freshKey = await deps.workerKeys.get(companyId, sw, { version: writeVersion, use: 'verify' });
  return freshKey.ok ? ok({ ...keys, freshKey: freshKey.value }) : freshKey;
}

export type OtherKeys = ReadonlyMap<number, KeyObject>;

/** Versions that rows of this page name beside the switch's two, and how many rows do: none unless tables were restored in parts. */
export function otherVersions(sw: Switch, page: RowPage): ReadonlyMap<number, number> {
  const { fromVersion, writeVersion } = turnOf(sw);
  const named = new Map<number, number>();
  for (const { cells } of page.rows) {
    const state = text(cells, 'state');
    if (state === 'lost' || state === 'tombstone') continue;
    for (const cell of ['companyKeyVersion', 'previousVersion']) {
      const version = count(cells, cell) ?? 0;
      if (version !== 0 && version !== fromVersion && version !== writeVersion)
        named.set(version, (named.get(version) ?? 0) + 1);
    }
  }
  return named;
}

/** Kept company keys of these versions. Each use is logged and recorded. */
export async function otherKeys(
  deps: PassKeyReading,
  { companyId, keyringId }: SwitchPlace,
  sw: Switch,
  named: ReadonlyMap<number, number>,
): Promise<Result<OtherKeys, WorkerKeyProblem>> {
  const keys = new Map<number, KeyObject>();
  for (const [version, dataKeys] of named) {
    const other = await deps.workerKeys.other(companyId, sw, version);
    if (other.ok) {
      keys.set(version, other.value.key);
      if (other.value.isKept) await alarmKeptKey(deps, { companyId, keyringId, version }, { by: 'pass', dataKeys });
    } else if (other.error.type === 'retry') return other;
  }
  return ok(keys);
}

/** What to do with a row in this phase. */
export function decider(
  deps: PassKeyReading,
  { freshKey, ...keys }: PassKeys,
  others: OtherKeys,
): (row: DataKey) => RowStep {
  const pass: PassContext = { ...keys, otherKeys: others, nonce: nonces(deps) };
  return (row) => (freshKey ? verifyRow({ ...pass, freshKey }, row) : rewrapRow(pass, row));
}

const NONCES_AT_ONCE = 256;

/** Draws entropy for many nonces at a time; hands out each once. */
function nonces({ entropy }: Pick<PassKeyReading, 'entropy'>): () => Uint8Array {
  let pool: Uint8Array = new Uint8Array(0);
  let used = 0;
  return () => {
    if (used >= pool.length) {
      pool = entropy.bytes(NONCES_AT_ONCE * DATA_KEY_NONCE_BYTES);
      used = 0;
    }
    used += DATA_KEY_NONCE_BYTES;
    return pool.subarray(used - DATA_KEY_NONCE_BYTES, used);
  };
}
