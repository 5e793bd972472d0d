// Preparing a switch: from here on either vault alone is enough to finish or to roll back. Both company keys are wrapped under
// both providers, every new wrap is opened through its vault and compared, and only then one transaction says so. Two prepares
// may race: each makes a key of its own, only what is stored counts, and no key cache is filled here.
import { COMPANY_KEY_BYTES, type CompanyKeyContext, type CompanyKeyRow, type Wrap } from '../../domain/company-key.ts';
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Connection } from '../../domain/connection.ts';
import type { Failure } from '../../domain/failure.ts';
import { judgeKey, type KeyPolicy } from '../../providers/azure-key-vault/key-fitness.ts';
import type { Company, Keyring } from '../../domain/keyring.ts';
import { ofKeyInUse } from '../../providers/azure-key-vault/key-in-use.ts';
import { parseKeyId, providerName, sameProvider, type ProviderRef } from '../../domain/provider.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { present } from '../../domain/plain-object.ts';
import { companyKeyRowKey } from '../../store/rows/row-keys.ts';
import { companyKeyCells } from '../../store/rows/sealed-rows.ts';
import { type Switch, withoutTrouble, type SwitchPlace } from '../../domain/switch.ts';
import {
  inUse,
  loadReadableCompanyKey,
  openWrap,
  targetOf,
  wrapInForce,
  type CompanyKeyOpening,
  verifyWrap,
} from '../keys/open-wrap.ts';
import type { Auditing } from '../../store/append.ts';
import { audited } from '../../store/audited.ts';
import { loadCompany, loadKeyring, type Loaded } from '../../store/control-state.ts';
import type { RowWrite } from '../../store/tables.ts';
import type { KeyVaults } from '../../providers/provider.ts';
import type { Sealer } from '../../domain/ports.ts';
import { forged } from '../keys/seals.ts';
import { loadShards } from '../../store/shard-rows.ts';
import { lackOfClaim } from '../connections/vault-claims.ts';
import { makeProvenWrap } from '../keys/wrap-company-key.ts';
import { decide, seen, type SideFailure } from './decide.ts';
import { tenantsThatHold, type TenantReading } from './gate.ts';
import { actOnSwitch, loadConnectionsOf } from './switch-writes.ts';
import { guard, guardCompany, replaceKeyring, replaceSwitch } from '../../store/control-writes.ts';
import { highestVersionNamed, nextGeneration } from '../../domain/generations.ts';
import { markUse } from '../../store/connection-use.ts';

export interface Preparing extends CompanyKeyOpening, Auditing, TenantReading {
  readonly tables: Auditing['tables'];
  readonly vaults: Pick<KeyVaults, 'readKey' | 'unwrap'>;
  readonly sealer: Sealer;
  readonly keyPolicy: Omit<KeyPolicy, 'now' | 'purpose'>;
}

export type PrepareOutcome =
  | { readonly type: 'prepared'; readonly sw: Switch }
  | { readonly type: 'lost-race' }
  /** Tenants have not agreed: nothing was asked of a vault. */
  | { readonly type: 'waits' }
  | ({ readonly type: 'failed' } & SideFailure);

interface Control {
  readonly company: Loaded<Company>;
  readonly keyring: Loaded<Keyring>;
  readonly sw: Loaded<Switch>;
  readonly old: Loaded<CompanyKeyRow>;
  readonly connections: readonly Loaded<Connection>[];
}

export async function prepare(deps: Preparing, place: SwitchPlace, sw: Loaded<Switch>): Promise<PrepareOutcome> {
  const control = await loadControl(deps, place, sw);
  if (!('company' in control)) return control;
  // Looked at again, under the company's row that stands in the transaction: the state of a switch is not sealed, so that it has left its
  // verification proves nothing, and what is wrapped by the target is the target's.
  const decided = await decide(
    sw.value,
    { seal: 'good', rows: 'read' },
    {
      tenants: async () =>
        seen(
          'target',
          await tenantsThatHold(deps, { companyId: place.companyId, sw: sw.value }),
          ({ length }) => length,
        ),
    },
  );
  if (!decided.ok) return { type: 'failed', ...decided.error };
  if (decided.value.type !== 'step') return { type: 'waits' };
  const companyKey = deps.entropy.bytes(COMPANY_KEY_BYTES);
  try {
    const wraps = await makeWraps(deps, place, control, companyKey);
    if (!wraps.ok) return { type: 'failed', ...wraps.error };
    return await store(deps, place, control, wraps.value);
  } finally {
    // invariant A21
    companyKey.fill(0);
  }
}

/** Everything that the transaction at the end will be made under, read before any vault is asked. */
async function loadControl(deps: Preparing, place: SwitchPlace, sw: Loaded<Switch>): Promise<Control | PrepareOutcome> {
  const { source, target, fromVersion } = sw.value;
  const [company, keyring] = await Promise.all([
    loadCompany(deps.tables, place.companyId),
    loadKeyring(deps.tables, place),
  ]);
  if (!company || keyring?.value.switchId !== place.switchId) return { type: 'lost-race' };
  const old = await loadReadableCompanyKey(deps, { ...place, version: fromVersion });
  if (!old.ok) return { type: 'failed', side: 'source', failure: old.error };
  if (!old.value) return { type: 'lost-race' };
  const connections = await loadConnectionsOf(deps, place.companyId, { needed: [source, target] });
  if (!connections.ok) return { type: 'failed', side: 'target', failure: connections.error };
  return { company, keyring, sw, old: old.value, connections: connections.value };
}

interface NewWraps {
  /** The old company key under the target; none for a re-key, which stays where it is. */
  readonly old: readonly Wrap[];
  readonly next: readonly Wrap[];
}

interface WrapJob {
  readonly context: CompanyKeyContext;
  readonly key: Uint8Array;
}

async function makeWraps(
  deps: Preparing,
  place: SwitchPlace,
  control: Control,
  nextKey: Uint8Array,
): Promise<Result<NewWraps, SideFailure>> {
  const { source, target, fromVersion, toVersion, kind } = control.sw.value;
  const oldContext = contextOf(place, fromVersion);
  const nextContext = contextOf(place, toVersion);
  const inForce = wrapInForce(control.old.value);
  // The keyring's word for its provider is not sealed. A wrap is: whoever only changed the word is not believed, since a re-key
  // would then take the keyring out of its company's hands.
  if (!inForce || !sameProvider(inForce.ref, source)) {
    const rowKey = companyKeyRowKey(place.keyringId, fromVersion);
    return err({ side: 'source', failure: forged(deps.log, { companyId: place.companyId, rowKey }) });
  }
  const sealed = await verifyWrap(deps, oldContext, inForce);
  if (!sealed.ok) return err({ side: 'source', failure: sealed.error });
  // The key in force may have expired, and its newest version may be fit for nothing: the version in use still unwraps, and the way out
  // of it must stay open.
  const under =
    kind === 'rekey' ? ({ purpose: 'test' } as const) : ({ purpose: 'in-force', keyId: inForce.keyId } as const);
  const next = { context: nextContext, key: nextKey };
  const underSource = await wrapUnder(deps, { ref: source, ...under, jobs: [next] });
  if (!underSource.ok) return err({ side: 'source', failure: underSource.error });
  if (kind === 'rekey') return ok({ old: [], next: underSource.value });

  const unclaimed = await lackOfTargetsClaim(deps, place, target);
  if (unclaimed) return err({ side: 'target', failure: unclaimed });
  // invariant A9: straight through the vault, past any cache of keys
  const opened = await openWrap(deps, oldContext, inForce);
  if (!opened.ok) return err({ side: 'source', failure: opened.error });
  const oldKey = opened.value.export();
  const jobs = [next, { context: oldContext, key: oldKey }] as const;
  const asGuards = { ref: target, purpose: 'test', jobs, guard: true } as const;
  const underTarget = await wrapUnder(deps, asGuards).finally(() => oldKey.fill(0));
  if (!underTarget.ok) return err({ side: 'target', failure: underTarget.error });
  return ok({ old: underTarget.value.slice(1), next: [...underSource.value, ...underTarget.value.slice(0, 1)] });
}

/** Read again here: the claim may have been released since the switch left its verification. */
async function lackOfTargetsClaim(
  deps: Preparing,
  { companyId }: SwitchPlace,
  ref: ProviderRef,
): Promise<Failure | undefined> {
  if (ref.connectionId === undefined) return undefined;
  const target = await targetOf(deps, { companyId, ref });
  if (!target.ok) return target.error;
  return lackOfClaim(deps, { companyId, host: target.value.host, keyName: target.value.keyName });
}

const contextOf = (place: SwitchPlace, version: number): CompanyKeyContext => ({
  companyId: place.companyId,
  keyringId: place.keyringId,
  version,
});

/** Wraps company keys under a provider's newest key version, or the one of `keyId`; each is opened through the vault and compared. One `get` in all. */
async function wrapUnder(
  deps: Preparing,
  input: {
    readonly ref: ProviderRef;
    readonly purpose: 'test' | 'in-force';
    readonly keyId?: string;
    readonly jobs: readonly [WrapJob, ...WrapJob[]];
    readonly guard?: true;
  },
): Promise<Result<Wrap[], Failure>> {
  const { ref, purpose, jobs, keyId, guard } = input;
  const target = await targetOf(deps, { companyId: jobs[0].context.companyId, ref });
  if (!target.ok) return target;
  const vaultKey = await deps.vaults.readKey(
    target.value,
    keyId === undefined ? undefined : parseKeyId(keyId)?.version,
  );
  if (!vaultKey.ok) {
    const found = vaultKey.error;
    return err(keyId === undefined ? ofKeyInUse(found) : await inUse(deps.vaults, target.value, { found, keyId }));
  }
  const policy = { ...deps.keyPolicy, now: deps.clock.now(), purpose, ownVault: ref.connectionId === undefined };
  const [unfit] = judgeKey(vaultKey.value, policy).denials;
  if (unfit) return err(unfit);
  const wraps: Wrap[] = [];
  const place = { target: target.value, vaultKey: vaultKey.value, ...present({ guard }) };
  const made = jobs.map(({ context, key }) => makeProvenWrap(deps, { ...place, companyKey: key, context }));
  for (const wrap of await Promise.all(made)) {
    if (!wrap.ok) return wrap;
    wraps.push(wrap.value);
  }
  return ok(wraps);
}

async function store(deps: Preparing, place: SwitchPlace, control: Control, wraps: NewWraps): Promise<PrepareOutcome> {
  const { company, keyring, sw, old, connections } = control;
  const { companyId, keyringId } = place;
  const shards = await loadShards(deps.tables, { companyId, keyringId, shardCount: keyring.value.shardCount });
  const named = highestVersionNamed(shards);
  if (named >= sw.value.toVersion) return reserveAbove(deps, place, control, named);
  const generation = nextGeneration(keyring.value, shards);
  const now = deps.clock.now().toISOString();
  const next: Switch = {
    ...withoutTrouble(sw.value),
    state: 're-protecting',
    generation,
    turnedAt: now,
    doneAtTurn: 0,
  };
  const oldRowKey = companyKeyRowKey(place.keyringId, sw.value.fromVersion);
  const oldRow: CompanyKeyRow = {
    ...old.value,
    wraps: [...old.value.wraps.filter(isOfSource(sw.value)), ...wraps.old],
  };
  const nextRow: CompanyKeyRow = {
    ...contextOf(place, sw.value.toVersion),
    wraps: wraps.next,
    createdAt: now,
  };
  const writes: RowWrite[] = [
    replaceSwitch(sw, next),
    replaceKeyring(keyring, { ...keyring.value, generation }),
    guardCompany(company),
    wraps.old.length > 0
      ? { kind: 'replace', rowKey: oldRowKey, cells: companyKeyCells(oldRow), etag: old.etag }
      : guard(oldRowKey, old.etag),
    {
      kind: 'insert',
      rowKey: companyKeyRowKey(place.keyringId, sw.value.toVersion),
      cells: companyKeyCells(nextRow),
    },
    ...connections.map((connection) => markUse(connection, {})),
  ];
  const act = actOnSwitch('switch.prepared', place, { companyKeyVersion: next.toVersion });
  const written = await audited(deps, KEYSWITCH, act, (record) => record.write('companies', place.companyId, writes));
  return written.outcome === 'committed' ? { type: 'prepared', sw: next } : { type: 'lost-race' };
}

/** Rows are at a version that is reserved for another key: control rows are older than they. The switch is prepared anew, above them. */
async function reserveAbove(
  deps: Preparing,
  { companyId }: SwitchPlace,
  { company, keyring, sw }: Control,
  named: number,
): Promise<PrepareOutcome> {
  const toVersion = Math.max(keyring.value.highVersion, named) + 1;
  await deps.tables.write('companies', companyId, [
    replaceSwitch(sw, { ...sw.value, toVersion }),
    replaceKeyring(keyring, { ...keyring.value, highVersion: toVersion }),
    guardCompany(company),
  ]);
  return { type: 'lost-race' };
}

const isOfSource =
  (sw: Switch) =>
  (wrap: Wrap): boolean =>
    providerName(wrap.ref) === providerName(sw.source);
