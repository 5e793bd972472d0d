// Prepares a switch: from here on either vault alone is enough to finish or to roll back. Wraps both company keys under both providers, opens every new
// wrap through its vault and compares it, and only then commits one transaction. Two prepares may race: each makes its own key, only what is
// stored counts, and neither fills a key cache.
import { KEYSWITCH } from '../../domain/audit.ts';
import { COMPANY_KEY_BYTES, type CompanyKeyRow, type Wrap } from '../../domain/company-key.ts';
import type { Connection } from '../../domain/connection.ts';
import { highestVersionNamed, nextGeneration } from '../../domain/generations.ts';
import type { Company, Keyring } from '../../domain/keyring.ts';
import { providerName } from '../../domain/provider.ts';
import { failed, LOST_RACE, MOVED, outcomeOf, type StepOutcome } from '../../domain/switch-machine.ts';
import { withoutTrouble, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import type { Auditing } from '../../store/append.ts';
import { actOnce, changeOnce } from '../../store/act.ts';
import { markUse } from '../../store/connection-use.ts';
import { loadCompany, loadKeyring, type Found } from '../../store/control-state.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { loadShards } from '../../store/shard-rows.ts';
import { companyKeyWrites, type Leaving } from '../keys/former-versions.ts';
import { loadReadableCompanyKey } from '../keys/open-wrap.ts';
import { decide, seen } from './decide.ts';
import { tenantsThatHold, type TenantReading } from './gate.ts';
import { contextOf, makeWraps, type NewWraps, type Wrapping } from './new-wraps.ts';
import { actOnSwitch, loadConnectionsOf } from './switch-writes.ts';

export interface Preparing extends Wrapping, Auditing, TenantReading, Leaving {
  readonly tables: Auditing['tables'];
  readonly providers: Wrapping['providers'];
  readonly sealer: Wrapping['sealer'];
  readonly clock: Auditing['clock'];
}

interface Control {
  readonly company: Found<Company>;
  readonly keyring: Found<Keyring>;
  readonly sw: Found<Switch>;
  readonly old: Found<CompanyKeyRow>;
  readonly connections: readonly Found<Connection>[];
}

export async function prepare(deps: Preparing, place: SwitchPlace, sw: Found<Switch>): Promise<StepOutcome> {
  const control = await loadControl(deps, place, sw);
  if (!('company' in control)) return control;
  // Checked again under the company's row, which is in the transaction: the state of a switch is not sealed, so its state does not prove that it was
  // verified, and whatever is wrapped by the target is the target's.
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
  if (!decided.ok) return decided.error;
  if (decided.value.type !== 'step') return outcomeOf(decided.value);
  const companyKey = deps.entropy.bytes(COMPANY_KEY_BYTES);
  try {
    const wraps = await makeWraps(deps, place, control, companyKey);
    if (!wraps.ok) return wraps.error;
    return await store(deps, place, control, wraps.value);
  } finally {
    // invariant A21
    companyKey.fill(0);
  }
}

/** Everything that the transaction at the end depends on, read before any vault is asked. */
async function loadControl(deps: Preparing, place: SwitchPlace, sw: Found<Switch>): Promise<Control | StepOutcome> {
  const { source, target, fromVersion } = sw.value;
  const [company, keyring] = await Promise.all([
    loadCompany(deps.tables, place.companyId),
    loadKeyring(deps.tables, place),
  ]);
  if (!company || keyring?.value.switchId !== place.switchId) return LOST_RACE;
  const old = await loadReadableCompanyKey(deps, { ...place, version: fromVersion });
  if (!old.ok) return failed(old.error, { side: 'source' });
  if (!old.value) return LOST_RACE;
  const connections = await loadConnectionsOf(deps, place.companyId, { needed: [source, target] });
  if (!connections.ok) return failed(connections.error, { side: 'target' });
  return { company, keyring, sw, old: old.value, connections: connections.value };
}

async function store(deps: Preparing, place: SwitchPlace, control: Control, wraps: NewWraps): Promise<StepOutcome> {
  const { company, keyring, sw, old, connections } = control;
  const { companyId, keyringId } = place;
  const shards = await loadShards(deps.tables, { companyId, keyringId, shardCount: keyring.value.shardCount });
  const named = highestVersionNamed(shards);
  if (named >= sw.value.toVersion) return reserveAbove(deps, control, named);
  const generation = nextGeneration(keyring.value, shards);
  const now = deps.clock.now().toISOString();
  const next: Switch = {
    ...withoutTrouble(sw.value),
    state: 're-protecting',
    generation,
    turnedAt: now,
    doneAtTurn: 0,
  };
  const oldRow: CompanyKeyRow = {
    ...old.value,
    wraps: [...old.value.wraps.filter(isOfSource(sw.value)), ...wraps.old],
  };
  const nextRow: CompanyKeyRow = {
    ...contextOf(place, sw.value.toVersion),
    wraps: wraps.next,
    createdAt: now,
  };
  const about = { actor: KEYSWITCH, ...actOnSwitch('switch.prepared', place, { companyKeyVersion: next.toVersion }) };
  const writeOld = await companyKeyWrites(deps, companyId, wraps.old.length > 0 ? [{ held: old, next: oldRow }] : []);
  const prepared = await actOnce(deps, about, (tx) => {
    tx.replace(sw, next);
    tx.replace(keyring, { ...keyring.value, generation });
    tx.guard(company);
    writeOld(tx);
    if (wraps.old.length === 0) tx.guard(old);
    tx.insert(companyKeyRow, nextRow, nextRow);
    for (const connection of connections) markUse(tx, connection, {});
    return undefined;
  });
  return prepared.ok ? MOVED : LOST_RACE;
}

/** Rows name a version that is reserved for a new key: the control rows are older than they (a restore). Reserves a version above them. */
async function reserveAbove(deps: Preparing, { company, keyring, sw }: Control, named: number): Promise<StepOutcome> {
  const toVersion = Math.max(keyring.value.highVersion, named) + 1;
  await changeOnce(deps, (tx) => {
    tx.replace(sw, { ...sw.value, toVersion });
    tx.replace(keyring, { ...keyring.value, highVersion: toVersion });
    return tx.guard(company);
  });
  return LOST_RACE;
}

const isOfSource =
  (sw: Switch) =>
  (wrap: Wrap): boolean =>
    providerName(wrap.ref) === providerName(sw.source);
