// All company keys of a keyring besides the two of the switch, for an admin's decision on one row whose label may be wrong: to accept a loss, none of
// them may open the data key. Kept keys open each other in a chain; each is opened once.
import type { KeyObject } from 'node:crypto';
import type { Failure } from '../../domain/failure.ts';
import { openKeptKey, type KeptKey } from '../../domain/kept-key.ts';
import { keptKeyRow } from '../../store/rows/kept-rows.ts';
import type { KeyringPlace } from '../../domain/keyring.ts';
import type { Switch } from '../../domain/switch.ts';
import { listCompanyKeyRows, listKeptKeys } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { Log } from '../../domain/ports.ts';
import { forged } from '../keys/seals.ts';
import type { WorkerKeys } from '../keys/worker-keys.ts';

interface DecisionKeys {
  /** By version. */
  readonly keys: ReadonlyMap<number, KeyObject>;
  readonly isKept: (version: number) => boolean;
  /** Why one of them, perhaps the one that is needed, could not be had. */
  readonly missing?: Failure | undefined;
}

interface Decision {
  readonly tables: Tables;
  readonly log: Log;
  readonly workerKeys: WorkerKeys;
}

/** `moved`: the two company keys of the switch, which are at hand. Throws StoreUnavailable. */
export async function decisionKeys(
  deps: Decision,
  { companyId, keyringId }: KeyringPlace,
  { sw, moved }: { readonly sw: Switch; readonly moved: ReadonlyMap<number, KeyObject> },
): Promise<DecisionKeys> {
  const place = { companyId, keyringId };
  const keys = new Map(moved);
  const missing: Failure[] = [];
  for (const { version } of await listCompanyKeyRows(deps.tables, place)) {
    if (keys.has(version)) continue;
    const key = await deps.workerKeys.get(companyId, sw, { version, use: 'rewrap' });
    if (key.ok) keys.set(version, key.value);
    else if (key.error.type !== 'gone') missing.push(key.error.failure);
  }
  const own = new Set(keys.keys());
  const kept = await listKeptKeys(deps.tables, place);
  const unread = openChain(
    keys,
    kept.flatMap(({ value }) => value ?? []),
  );
  const unreadable = kept.flatMap(({ version, value }) => (value || keys.has(version) ? [] : [version]));
  // If a key that they depend on may only be unreachable, do not call them forged.
  for (const version of [...unreadable, ...(missing.length > 0 ? [] : unread)])
    missing.push(forged(deps.log, { companyId, rowKey: keptKeyRow.key({ companyId, keyringId, version }) }));
  return { keys, isKept: (version) => keys.has(version) && !own.has(version), missing: missing[0] };
}

/** Opens kept keys, starting from `keys`, and adds them to it. Answers the versions of those that do not open. */
function openChain(keys: Map<number, KeyObject>, kept: readonly KeptKey[]): number[] {
  const hanging = Map.groupBy(kept, ({ under }) => under);
  const links = [...keys];
  for (const [version, under] of links) {
    for (const { blob, ...context } of hanging.get(version) ?? []) {
      const key = keys.has(context.version) ? undefined : openKeptKey({ under, context, blob });
      if (!key) continue;
      keys.set(context.version, key);
      links.push([context.version, key]);
    }
  }
  return kept.flatMap(({ version }) => (keys.has(version) ? [] : [version]));
}
