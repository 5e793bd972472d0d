// The vault that a switch leads to holds the company keys from prepare on, by wraps that are sealed as guards. Whoever writes the tables cannot have it
// stand in for the vault in force; nor does a switch end over a denial that came late, whatever it waited for.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Wrap } from '../../../shared/domain/company-key.ts';
import { companyKeyRowKey, connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import { retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { register, verify, ENTRA } from '../tenants/tenant-rig.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, MANAGED, place, Rig, VENDOR } from './rig.ts';

const KEYS = 6;
const LEAVING = place('s2');

let rig: Rig;
const switchOf = async (): Promise<Switch> => (await loadSwitch(rig.store, LEAVING))!.value;
const versions = (): Promise<number[]> =>
  Promise.all([...rig.plaintexts.keys()].map(async (keyId) => (await rig.dataKey(keyId)).companyKeyVersion));
const deny = (): void => rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'access-denied-rbac' });

async function goOn(): Promise<void> {
  await rig.queue.send([{ format: 1, kind: 'advance', attempt: 0, ...LEAVING }]);
  await rig.drain();
}

/** Under contoso's key, and on the way to the vendor's: prepared, and no row moved. */
beforeEach(async () => {
  rig = await Rig.withDataKeys(KEYS);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  await startSwitch(rig.deps, { ...LEAVING, target: MANAGED }, ADMIN);
  await rig.drain({ enough: async () => (await switchOf()).state === 're-protecting' });
  rig.queue.clear();
  rig.deps = rig.freshHost();
});

const isOfVendor = ({ host }: Wrap): boolean => host === VENDOR.host;
/** What somebody makes of a company key's row: of its wraps, or of a cell beside them. */
const FORGERIES: readonly (readonly [string, (wraps: readonly Wrap[]) => Cells])[] = [
  ['a mark that names the vault that it leads to', () => ({ inForce: 'managed' })],
  ['the guard called none', (wraps) => wrapsAs(wraps.map(({ guard: _none, ...wrap }) => wrap as Wrap))],
  [
    'guard and wrap in force exchanged',
    (wraps) => wrapsAs(wraps.map(({ guard, ...wrap }) => (guard ? wrap : { ...wrap, guard: true }) as Wrap)),
  ],
  ['the wrap in force taken away', (wraps) => wrapsAs(wraps.filter(isOfVendor))],
  [
    'the wrap in force taken away, and the guard called none',
    (wraps) => wrapsAs(wraps.filter(isOfVendor).map(({ guard: _none, ...wrap }) => wrap as Wrap)),
  ],
];
const wrapsAs = (wraps: readonly Wrap[]): Cells => ({ wraps: JSON.stringify(wraps) });

function forge(change: (wraps: readonly Wrap[]) => Cells): () => void {
  const before = [2, 3].map((version) => rig.store.peek('companies', COMPANY, companyKeyRowKey(KEYRING, version))!);
  for (const { rowKey, cells } of before) {
    const wraps = JSON.parse(String(cells['wraps'])) as Wrap[];
    rig.store.tamper('companies', COMPANY, rowKey, { ...cells, ...change(wraps) });
  }
  return () => before.forEach(({ rowKey, cells }) => rig.store.tamper('companies', COMPANY, rowKey, cells));
}

describe.each(FORGERIES)('while the vault in force denies, and somebody has written %s', (_, change) => {
  it('the other vault serves no caller, moves no row and ends no switch', async () => {
    const before = await versions();
    deny();
    const undo = forge(change);
    rig.vaults.calls.length = 0;
    expect(await rig.openByCaller()).toBe(0);
    expect(rig.vaults.calls.filter(({ host }) => host === VENDOR.host)).toEqual([]);
    await goOn();
    expect(await switchOf()).toMatchObject({ state: 're-protecting', blocked: { side: 'source' } });
    expect(await versions()).toEqual(before);
    undo();
    rig.vaults.heal();
    await retrySwitch(rig.deps, LEAVING, ADMIN);
    await rig.drain();
    expect((await switchOf()).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(KEYS);
  });
});

describe('a switch whose rows are all moved, and whose vault in force has denied since', () => {
  beforeEach(async () => {
    await register(rig, ENTRA);
    await goOn();
    expect((await switchOf()).state).toBe('re-protecting');
    expect(new Set(await versions())).toEqual(new Set([3]));
    rig.deps = rig.freshHost();
  });

  it('does not end by the word of a tenant that it waited for: an admin of the company goes on over the denial', async () => {
    deny();
    await verify(rig, 's2', ENTRA);
    await rig.drain();
    const blocked = { reason: 'provider', side: 'source', failure: { code: 'access-denied-rbac' } };
    expect(await switchOf()).toMatchObject({ state: 're-protecting', blocked });
    expect(await rig.openByCaller()).toBe(0);
    const forward = { ...LEAVING, direction: 'forward' } as const;
    const byVendor = await retrySwitch(rig.deps, { ...forward, vendor: { maySwitch: true } }, ADMIN);
    expect(byVendor).toMatchObject({ error: { type: 'company-admin-only' } });
    await retrySwitch(rig.deps, forward, ADMIN);
    await rig.drain();
    expect((await switchOf()).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(KEYS);
  });

  it('nor where somebody has taken the way to that vault out of the tables', async () => {
    deny();
    rig.store.tamper('companies', COMPANY, connectionRowKey('contoso'), { format: 1 });
    await verify(rig, 's2', ENTRA);
    await rig.drain();
    expect(await switchOf()).toMatchObject({ blocked: { side: 'source', failure: { code: 'row-forged' } } });
  });

  it('ends while that vault is only away', async () => {
    rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'vault-unreachable' });
    await verify(rig, 's2', ENTRA);
    await rig.drain();
    expect((await switchOf()).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(KEYS);
  });
});
