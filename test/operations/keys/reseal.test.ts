// Rows are sealed anew under the newest version of the seal key, so that an older one can be disabled without anything being taken for forged.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  readResealing,
  RESEALING_ROW_KEY,
  SETTLED_AFTER_MS,
  type ResealingState,
} from '../../../shared/store/rows/resealing-rows.ts';
import {
  connectionRowKey,
  exportRowKey,
  SYSTEM_PARTITION,
  switchRowKey,
  tenantRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { sealedRow } from '../../../shared/store/sealed.ts';
import { renewOnAgenda } from '../../../shared/store/agenda.ts';
import { headItem } from '../../../shared/store/deliver.ts';
import { sweepHeads } from '../../../shared/operations/audit/sign-heads.ts';
import { verifyEvents } from '../../../shared/operations/audit/verify-events.ts';
import { ensureListed } from '../../../shared/store/company-index.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { loadExportState } from '../../../shared/operations/exports/export-state.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import { Readiness } from '../../../shared/store/readiness.ts';
import { sweepSeals } from '../../../shared/operations/keys/reseal.ts';
import { cancelSwitch, confirmSwitch } from '../../../shared/operations/switches/steer.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { loadConnection } from '../../../shared/operations/keys/verified-connection.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { keyVersionOf } from '../../fakes/fake-vaults.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { COMPANY, CONTOSO, FABRIKAM, KEYRING, place, Rig } from '../switches/rig.ts';
import { ENTRA, GOOGLE, register, verify, verifyAll } from '../tenants/tenant-rig.ts';

const OLD = keyVersionOf(1);
const NEW = keyVersionOf(2);
const DAY_MS = 24 * 3_600_000;

/** One switch is over, and another waits with a tenant's word: every kind of sealed row is there. */
async function everyKind(): Promise<Rig> {
  const rig = await Rig.withDataKeys(4);
  await ensureListed(rig.store, COMPANY);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  await register(rig, ENTRA, GOOGLE);
  await startSwitch(rig.deps, { ...place('s2'), target: FABRIKAM, vendor: { maySwitch: false } }, ADMIN);
  await verifyAll(rig, 's2', ENTRA, GOOGLE);
  return rig;
}

/** Versions of the seal key that rows name, by kind of row. */
function named(rig: Rig): Record<string, readonly string[]> {
  const found: Record<string, Set<string>> = {};
  for (const { table, partitionKey, rowKey, cells } of rig.store.dump()) {
    if (table !== 'companies' || partitionKey !== COMPANY) continue;
    for (const { seal } of sealedRow(COMPANY, { rowKey, cells, etag: '' })?.parts ?? []) {
      (found[rowKey.split('|')[0]!] ??= new Set()).add(seal.keyVersion);
    }
  }
  return Object.fromEntries(Object.entries(found).map(([kind, versions]) => [kind, [...versions]]));
}

/** Whatever rows they are: an ended switch keeps its seal, and nobody looks at it. */
const namingAnywhere = (rig: Rig, version: string): readonly string[] =>
  [...rig.store.dump()]
    .filter(({ cells }) => JSON.stringify(cells).replaceAll('\\', '').includes(`"keyVersion":"${version}"`))
    .map(({ rowKey }) => rowKey)
    .filter((rowKey) => rowKey !== switchRowKey(KEYRING, 's1'));

/** Another value of the same type, within JSON too. */
const changed = (value: Cells[string]): Cells[string] => {
  if (typeof value === 'string') return value.replace(/[0-8]/g, (digit) => String(Number(digit) + 1)) || 'somebody';
  return typeof value === 'number' ? value + 1 : !value;
};

const KINDS = ['company', 'companykey', 'connection', 'export', 'switch', 'tenant', 'verification'];
const all = (version: string): unknown => Object.fromEntries(KINDS.map((kind) => [kind, [version]]));
const stateOf = (rig: Rig): ResealingState =>
  readResealing(rig.store.peek('companies', SYSTEM_PARTITION, RESEALING_ROW_KEY)!.cells)!;

let rig: Rig;
beforeEach(async () => {
  rig = await everyKind();
});

describe('after the seal key got a new version', () => {
  it('every row is sealed under it, and the old version can be disabled', async () => {
    expect(named(rig)).toEqual(all(OLD));
    rig.vaults.rotateSealKey();
    expect(await sweepSeals(rig.deps)).toBeGreaterThanOrEqual(KINDS.length);
    expect(named(rig)).toEqual(all(NEW));
    expect(namingAnywhere(rig, OLD)).toEqual([]);
    expect(stateOf(rig)).toMatchObject({ version: NEW, after: '', left: 0 });
    rig.vaults.disableSealKey(OLD);
    rig.deps = rig.freshHost();
    expect(await loadConnection(rig.deps, { companyId: COMPANY, connectionId: 'contoso' })).toMatchObject({ ok: true });
    expect(await loadExportState(rig.deps, { companyId: COMPANY, keyringId: KEYRING })).toMatchObject({ ok: true });
    expect(await verify(rig, 's2', GOOGLE)).toMatchObject({ ok: true });
    expect(await confirmSwitch(rig.deps, place('s2'), ADMIN)).toMatchObject({ ok: true });
    await rig.drain();
    expect((await loadSwitch(rig.store, place('s2')))!.value.state).toBe('completed');
  });

  it('nothing but seals is changed', async () => {
    const contents = (): unknown =>
      [...rig.store.dump()]
        .filter(({ partitionKey }) => partitionKey === COMPANY)
        .map(({ rowKey, cells }) => [
          rowKey,
          JSON.stringify(cells)
            .replaceAll(/"seal\\*":\{?[^}]*\}|\\"seal\\":\{[^}]*\}/g, '')
            .replaceAll(/\{[^{}]*keyVersion[^{}]*\}/g, ''),
        ]);
    const before = contents();
    rig.vaults.rotateSealKey();
    await sweepSeals(rig.deps);
    expect(contents()).toEqual(before);
  });

  it('the pin of a Workspace that somebody else wrote is not sealed, and counted', async () => {
    const rowKey = tenantRowKey(GOOGLE);
    const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
    const forged = { ...cells, pin: String(cells['pin']).replace(/"customerId":"[^"]*"/, '"customerId":"C02other00"') };
    rig.store.tamper('companies', COMPANY, rowKey, forged);
    rig.vaults.rotateSealKey();
    await sweepSeals(rig.deps);
    expect(rig.store.peek('companies', COMPANY, rowKey)!.cells).toEqual(forged);
    expect(stateOf(rig).left).toBe(1);
  });

  it('nothing is signed that was not signed before, whatever cell of whatever row somebody changed', async () => {
    const rows = [...rig.store.dump()].filter(
      ({ table, partitionKey }) => table === 'companies' && partitionKey === COMPANY,
    );
    const sealed = rows.filter((row) => (sealedRow(COMPANY, { ...row, etag: '' })?.parts.length ?? 0) > 0);
    const signed = new Set(
      sealed.flatMap((row) =>
        sealedRow(COMPANY, { ...row, etag: '' })!.parts.map(({ bytes }) => bytes.toString('hex')),
      ),
    );
    rig.vaults.rotateSealKey();
    const asked: string[] = [];
    const sealer = {
      newestVersion: () => rig.vaults.newestVersion(),
      publicKey: (version: string) => rig.vaults.publicKey(version),
      sign: (bytes: Uint8Array) => (asked.push(Buffer.from(bytes).toString('hex')), rig.vaults.sign(bytes)),
    };
    for (const { rowKey, cells } of sealed) {
      const others = sealed.filter((row) => row.rowKey !== rowKey).map((row) => row.cells);
      for (const name of Object.keys(cells)) {
        for (const value of [changed(cells[name]), ...others.map((other) => other[name] ?? '')]) {
          for (const row of sealed) rig.store.tamper('companies', COMPANY, row.rowKey, row.cells);
          rig.store.tamper('companies', COMPANY, rowKey, { ...cells, [name]: value });
          rig.store.tamper('companies', SYSTEM_PARTITION, RESEALING_ROW_KEY, {});
          await sweepSeals({ ...rig.deps, sealer });
        }
      }
    }
    expect(asked.length).toBeGreaterThan(sealed.length);
    expect(asked.filter((bytes) => !signed.has(bytes))).toEqual([]);
  });

  it('a row that nobody of ours sealed stays what it is, and is counted until it is gone', async () => {
    const rowKey = connectionRowKey('contoso');
    const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
    const forged = { ...cells, host: 'theirs.vault.azure.net' };
    rig.store.tamper('companies', COMPANY, rowKey, forged);
    rig.vaults.rotateSealKey();
    await sweepSeals(rig.deps);
    expect(rig.store.peek('companies', COMPANY, rowKey)!.cells).toEqual(forged);
    expect(stateOf(rig).left).toBe(1);
    rig.store.tamper('companies', COMPANY, rowKey, cells);
    expect(await sweepSeals(rig.deps)).toBe(1);
    expect(stateOf(rig).left).toBe(0);
  });
});

it('a version that is disabled while rows name it is warned of, and once it is enabled again they are sealed anew', async () => {
  const readiness = (): Promise<readonly string[]> =>
    new Readiness({ ...rig.deps, storeClock: { aheadMs: () => 0 } }).find().then(({ warnings }) => warnings);
  expect(await readiness()).toEqual([]);
  rig.vaults.rotateSealKey();
  rig.vaults.disableSealKey(OLD);
  await sweepSeals(rig.deps);
  expect(named(rig)).toEqual(all(OLD));
  expect(await readiness()).toEqual([expect.stringContaining(`newest version of the seal key yet, ${NEW}`)]);
  expect(rig.log.entries).toContainEqual(expect.objectContaining({ event: 'seals.left' }));
  rig.vaults.enableSealKey(OLD);
  await sweepSeals(rig.deps);
  expect([named(rig), await readiness()]).toEqual([all(NEW), []]);
});

it('a slice goes on where the last one stopped', async () => {
  for (const companyId of ['a-first', 'z-last']) await ensureListed(rig.store, companyId);
  rig.vaults.rotateSealKey();
  const lists: string[] = [];
  const tables = tablesBut(rig.store, {
    list: (query) => {
      if (query.partitionKey !== SYSTEM_PARTITION) lists.push(query.partitionKey);
      return rig.store.list(query);
    },
  });
  for (let slice = 0; slice < 3; slice += 1) await sweepSeals({ ...rig.deps, tables }, { budgetMs: 0 });
  expect([...new Set(lists)]).toEqual(['a-first', COMPANY, 'z-last']);
  expect(lists).toHaveLength(3);
  expect(named(rig)).toEqual(all(NEW));
});

it.each(['list', 'read'] as const)(
  'a company that is away by %s keeps no other from its turn, and has its own next',
  async (call) => {
    const companyId = 'a-first';
    await ensureListed(rig.store, companyId);
    const away = (): Promise<never> => Promise.reject(new StoreUnavailable('too many requests'));
    const tables = tablesBut(rig.store, {
      list: (query) => (call === 'list' && query.partitionKey === companyId ? away() : rig.store.list(query)),
      read: (...row) => (call === 'read' && row[1] === companyId ? away() : rig.store.read(...row)),
    });
    rig.vaults.rotateSealKey();
    await sweepSeals({ ...rig.deps, tables });
    expect([named(rig), stateOf(rig)]).toMatchObject([all(NEW), { after: '', left: 1 }]);
    expect(rig.log.entries).toContainEqual(
      expect.objectContaining({
        event: 'seals.look-failed',
        detail: { company: companyId, error: 'StoreUnavailable' },
      }),
    );
    await sweepSeals(rig.deps);
    expect(stateOf(rig)).toMatchObject({ after: '', left: 0 });
  },
);

it('what another process has sealed by the older version behind the first round is sealed in one more, and warned of until then', async () => {
  const warned = (): Promise<number> =>
    new Readiness({ ...rig.deps, storeClock: { aheadMs: () => 0 } }).find().then(({ warnings }) => warnings.length);
  await sweepSeals(rig.deps);
  expect(await warned()).toBe(0);
  rig.vaults.rotateSealKey();
  const rowKey = exportRowKey(KEYRING);
  const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
  await sweepSeals(rig.deps);
  expect([named(rig), stateOf(rig).left, await warned()]).toEqual([all(NEW), 0, 1]);
  // By a process that knows the newest version of some minutes ago.
  rig.store.tamper('companies', COMPANY, rowKey, cells);
  rig.clock.advance(SETTLED_AFTER_MS - 1);
  await sweepSeals(rig.deps);
  expect(await warned()).toBe(1);
  rig.clock.advance(1);
  await sweepSeals(rig.deps);
  expect([named(rig), stateOf(rig).left, await warned()]).toEqual([all(NEW), 0, 0]);
});

it('a round is made once a day, at once for a new version, and once more when no process knows an older one any more', async () => {
  let lists = 0;
  const tables = tablesBut(rig.store, { list: (query) => ((lists += 1), rig.store.list(query)) });
  const sweep = async (): Promise<boolean> => {
    lists = 0;
    await sweepSeals({ ...rig.deps, tables });
    return lists > 0;
  };
  expect([await sweep(), await sweep()]).toEqual([true, false]);
  rig.clock.advance(DAY_MS - 1);
  expect(await sweep()).toBe(false);
  rig.clock.advance(1);
  expect([await sweep(), await sweep()]).toEqual([true, false]);
  rig.vaults.rotateSealKey();
  expect([await sweep(), await sweep()]).toEqual([true, false]);
  rig.clock.advance(SETTLED_AFTER_MS);
  expect([await sweep(), await sweep()]).toEqual([true, false]);
});

it('a row that others write meanwhile, or that cannot be sealed just then, has its turn in the next round', async () => {
  rig.vaults.rotateSealKey();
  const rowKey = exportRowKey(KEYRING);
  const tables = tablesBut(rig.store, {
    write: (table, partition, writes) =>
      writes[0]!.rowKey === rowKey
        ? Promise.resolve({ outcome: 'conflict', index: 0, reason: 'changed' })
        : rig.store.write(table, partition, writes),
  });
  rig.vaults.fail({ operation: 'sign', failure: 'vault-unreachable', times: 1 });
  await sweepSeals({ ...rig.deps, tables });
  expect(stateOf(rig).left).toBe(2);
  await sweepSeals(rig.deps);
  expect([named(rig), stateOf(rig).left]).toEqual([all(NEW), 0]);
});

it('the head of a chain that was signed last is signed anew, so that the next one leads on from it', async () => {
  const sign = async (): Promise<number> => {
    await renewOnAgenda(rig.store, headItem(COMPANY));
    return sweepHeads(rig.deps);
  };
  expect(await sign()).toBe(1);
  rig.vaults.rotateSealKey();
  await sweepSeals(rig.deps);
  rig.vaults.disableSealKey(OLD);
  await startSwitch(rig.deps, { companyId: COMPANY, keyringId: KEYRING, switchId: 's2', target: FABRIKAM }, ADMIN);
  await cancelSwitch(rig.deps, place('s2'), ADMIN);
  expect(await sign()).toBe(1);
  expect(await verifyEvents(rig.deps, { companyId: COMPANY })).toMatchObject({ value: { status: 'intact' } });
});
