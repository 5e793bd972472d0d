// The writes that several acts on a switch share: guards, marks on connections, and blocking. Builds transactions; decides nothing.
import { KEYSWITCH, type Act, type Detail } from '../../domain/audit.ts';
import { connectionCells } from '../../store/rows/sealed-rows.ts';
import { companyCells, keyringCells, switchCells } from '../../store/rows/control-rows.ts';
import { COMPANY_ROW_KEY, connectionRowKey, keyringRowKey, switchRowKey } from '../../store/rows/row-keys.ts';
import type { Connection } from '../../domain/connection.ts';
import type { Company, Keyring } from '../../domain/keyring.ts';
import type { Failure } from '../../domain/failure.ts';
import { providerName, type ProviderRef } from '../../domain/provider.ts';
import { ok, type Result } from '../../domain/result.ts';
import { isEnded, type Blocked, type Switch } from '../../domain/switch.ts';
import type { Auditing } from '../../store/append.ts';
import { audited } from '../../store/audited.ts';
import { loadSwitch, type Loaded } from '../../store/control-state.ts';
import type { RowWrite } from '../../store/tables.ts';
import type { LoadedShard } from '../../store/shard-rows.ts';
import { loadConnection, type ConnectionReading } from '../keys/verified-connection.ts';

export interface SwitchPlace {
  readonly companyId: string;
  readonly keyringId: string;
  readonly switchId: string;
}

export const actOnSwitch = (action: string, place: SwitchPlace, detail: Detail = {}): Act => ({
  action,
  companyId: place.companyId,
  target: switchRowKey(place.keyringId, place.switchId),
  detail,
});

/** Changes nothing, but the transaction fails if the row is not as it was read. */
export const guard = (rowKey: string, etag: string): RowWrite => ({ kind: 'merge', rowKey, cells: {}, etag });

export const guardCompany = (company: Loaded<Company>): RowWrite => guard(COMPANY_ROW_KEY, company.etag);

export const replaceCompany = (company: Loaded<Company>, next: Company): RowWrite => ({
  kind: 'replace',
  rowKey: COMPANY_ROW_KEY,
  cells: companyCells(next),
  etag: company.etag,
});

export const replaceKeyring = (keyring: Loaded<Keyring>, next: Keyring): RowWrite => ({
  kind: 'replace',
  rowKey: keyringRowKey(keyring.value.keyringId),
  cells: keyringCells(next),
  etag: keyring.etag,
});

export const replaceSwitch = (sw: Loaded<Switch>, next: Switch): RowWrite => ({
  kind: 'replace',
  rowKey: switchRowKey(sw.value.keyringId, sw.value.switchId),
  cells: switchCells(next),
  etag: sw.etag,
});

/** A keyring without its unfinished switch. */
export function withoutSwitch(keyring: Keyring): Keyring {
  const { switchId: _ended, ...rest } = keyring;
  return rest;
}

/** It has gone on, or waits for somebody now. */
export function withoutTrouble(sw: Switch): Switch {
  const { trouble: _over, ...rest } = sw;
  return rest;
}

/**
 * Of the next turn: above that of every shard, and not only above the keyring's. Where the tables are copies of which the control rows are
 * older, shards were turned by what nobody knows of any more, and no worker of an older generation may write them.
 */
export const nextGeneration = (keyring: Keyring, shards: readonly (LoadedShard | undefined)[]): number =>
  Math.max(keyring.generation, ...shards.map((shard) => shard?.value.generation ?? 0)) + 1;

/** Of a row key ten digits; only whoever relabels rows gets near it. */
const MAX_VERSION_NAMED = 1_000_000_000;

/**
 * The highest company-key version that a shard or its rows name. Where control rows are older than the data keys it may be above every version that
 * the keyring has reserved; a key of the same number would be another one, and both would be needed.
 */
export const highestVersionNamed = (shards: readonly (LoadedShard | undefined)[]): number =>
  shards
    .flatMap((shard) => (shard ? [shard.value] : []))
    .flatMap(({ fromVersion, writeVersion, at, aside }) => [
      fromVersion,
      writeVersion,
      ...[at, aside].flatMap((counts) => Object.keys(counts).map(Number)),
    ])
    .reduce((highest, version) => (version <= MAX_VERSION_NAMED ? Math.max(highest, version) : highest), 0);

/** A switch without what it waits for, and without a claim to its end: somebody has just decided something about it. */
export function released(sw: Switch): Switch {
  const { blocked: _blocked, finishing: _finishing, trouble: _trouble, ...rest } = sw;
  return rest;
}

export const userOfSwitch = (sw: { readonly keyringId: string; readonly switchId: string }): string =>
  switchRowKey(sw.keyringId, sw.switchId);
/** The switch that a mark of use names; undefined if it names a keyring. */
export function placeOfUser(companyId: string, user: string): SwitchPlace | undefined {
  const [kind, keyringId, switchId] = user.split('|');
  if (kind !== 'switch' || keyringId === undefined || switchId === undefined) return undefined;
  return { companyId, keyringId, switchId };
}
const userOfKeyring = (keyringId: string): string => keyringRowKey(keyringId);

/**
 * The connections behind providers, each once, verified. One that is gone is left out; so is a forged one behind a provider
 * that is merely being left: it must not hold what its forger would like to hold.
 */
export async function loadConnectionsOf(
  reading: ConnectionReading,
  companyId: string,
  refs: { readonly needed: readonly ProviderRef[]; readonly leaving?: readonly ProviderRef[] },
): Promise<Result<Loaded<Connection>[], Failure>> {
  const found = new Map<string, Loaded<Connection>>();
  for (const ref of [...refs.needed, ...(refs.leaving ?? [])]) {
    if (ref.provider === 'managed' || found.has(ref.connectionId)) continue;
    const connection = await loadConnection(reading, { companyId, connectionId: ref.connectionId });
    if (!connection.ok && refs.needed.includes(ref)) return connection;
    if (connection.ok && connection.value) found.set(ref.connectionId, connection.value);
  }
  return ok([...found.values()]);
}

/** Marks who depends on a connection, or only guards it if nothing changes. */
export function markUse(
  connection: Loaded<Connection>,
  use: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
): RowWrite {
  const { value, etag } = connection;
  const kept = value.usedBy.filter((user) => !use.remove?.includes(user));
  const usedBy = [...new Set([...kept, ...(use.add ?? [])])];
  const rowKey = connectionRowKey(value.connectionId);
  return { kind: 'merge', rowKey, cells: { usedBy: connectionCells({ ...value, usedBy })['usedBy'] }, etag };
}

/** The marks at the end of a switch: the keyring depends on what it ends with, and the switch on nothing. */
export function marksAtEnd(sw: Switch, connections: readonly Loaded<Connection>[], endsWith: ProviderRef): RowWrite[] {
  return connections.map((connection) => {
    const isEnd =
      providerName(endsWith) ===
      providerName({ provider: 'azure-key-vault', connectionId: connection.value.connectionId });
    const keyring = userOfKeyring(sw.keyringId);
    return isEnd
      ? markUse(connection, { add: [keyring], remove: [userOfSwitch(sw)] })
      : markUse(connection, { remove: [keyring, userOfSwitch(sw)] });
  });
}

/**
 * Makes a switch wait, if it is still in the generation that met the problem. Losing a race is no harm: whoever goes on meets
 * the same problem again.
 */
export async function blockSwitch(
  deps: Auditing,
  place: SwitchPlace,
  wait: { readonly generation: number; readonly blocked: Blocked },
): Promise<void> {
  const sw = await loadSwitch(deps.tables, place);
  if (!sw || isEnded(sw.value.state) || sw.value.generation !== wait.generation || sw.value.blocked) return;
  const { blocked } = wait;
  const { reason } = blocked;
  const detail =
    blocked.reason === 'provider' || blocked.reason === 'key-not-kept'
      ? { reason, side: blocked.side, code: blocked.failure.code }
      : blocked.reason === 'counts-differ'
        ? { reason, counts: blocked.failure.facts.detail }
        : { reason };
  await audited(deps, KEYSWITCH, actOnSwitch('switch.blocked', place, detail), (record) =>
    record.write('companies', place.companyId, [
      replaceSwitch(sw, { ...withoutTrouble(sw.value), blocked: wait.blocked }),
    ]),
  );
}
