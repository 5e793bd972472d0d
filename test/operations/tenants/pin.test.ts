// A Workspace is pinned by the first word that is spoken for its domain, and no other one speaks for it: when its administrator signs in,
// when the word is written, and when it is read.
import { beforeEach, describe, expect, it } from 'vitest';
import { approvalKey } from '../../../shared/domain/approval.ts';
import { tenantRowKey, verificationRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Result } from '../../../shared/domain/result.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import { getTenant } from '../../../shared/operations/tenants/tenants.ts';
import { recordVerification, unverifiedTenants } from '../../../shared/operations/tenants/verifications.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN, actorNamed } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, place, Rig } from '../switches/rig.ts';
import { destination, GOOGLE, register, remove, switchApproval, verify } from './tenant-rig.ts';

const FIRST = { customerId: 'C01first00' };
const OTHER = { customerId: 'C02other00' };
const admin = { id: `${GOOGLE.tenantId}/1234`, name: 'Sofia' };

let rig: Rig;
beforeEach(async () => {
  rig = await waiting();
});

async function waiting(): Promise<Rig> {
  const made = await Rig.withDataKeys(1);
  await register(made, GOOGLE);
  const ordered = await startSwitch(made.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  expect(ordered.ok).toBe(true);
  return made;
}

const speak = (speaker: { readonly customerId?: string }): ReturnType<typeof verify> =>
  verify(rig, 's1', GOOGLE, { admin: { ...admin, ...speaker } });
const codeOf = (result: Result<unknown, Refusal>): string | undefined =>
  result.ok || result.error.type !== 'failure' ? undefined : result.error.failure.code;
const row = (rowKey: string): Cells | undefined => rig.store.peek('companies', COMPANY, rowKey)?.cells;
const WORD = verificationRowKey(approvalKey(switchApproval('s1')), GOOGLE);
const left = async (): Promise<number | undefined> => {
  const asked = { companyId: COMPANY, approval: switchApproval('s1'), destination: await destination(rig, 's1') };
  const found = await unverifiedTenants(rig.deps, asked);
  return found.ok ? found.value.length : undefined;
};
const pinOf = async (): Promise<string | undefined> => {
  const tenant = await getTenant(rig.deps, { companyId: COMPANY, ...GOOGLE });
  return tenant.ok ? tenant.value.value.pin?.customerId : undefined;
};

describe('the Workspace that speaks first', () => {
  it('is pinned in the transaction of its word, and recorded with it', async () => {
    expect((await speak(FIRST)).ok).toBe(true);
    expect([await pinOf(), await left()]).toEqual([FIRST.customerId, 0]);
    const said = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'tenant.verify');
    expect(said.map(({ detail }) => JSON.parse(detail) as unknown)).toMatchObject([FIRST]);
  });

  it('speaks again, and the pin stays as it was', async () => {
    await speak(FIRST);
    const before = row(tenantRowKey(GOOGLE));
    expect((await speak(FIRST)).ok).toBe(true);
    expect(row(tenantRowKey(GOOGLE))).toEqual(before);
  });

  it('is one of two that speak at once', async () => {
    const said = await Promise.all([speak(FIRST), speak(OTHER)]);
    expect(said.map(({ ok }) => ok).toSorted()).toEqual([false, true]);
    expect(said.map(codeOf)).toContain('google-workspace-changed');
    expect([FIRST.customerId, OTHER.customerId]).toContain(await pinOf());
  });

  it('is pinned once, and answered well, whatever answers of the store are lost', async () => {
    const faults = { lostBefore: 0.2, lostAfter: 0.3, unavailable: 0 };
    for (let seed = 1; seed <= 20; seed += 1) {
      rig = await waiting();
      const faulty = new FaultyTables(rig.store, { seed, faults });
      // An agenda that cannot be written refuses an act before it is tried.
      const tables = tablesBut(faulty, {
        write: (table, ...rest) => (table === 'companies' ? faulty : rig.store).write(table, ...rest),
      });
      const said = await recordVerification(
        { ...rig.deps, tables },
        {
          companyId: COMPANY,
          approval: switchApproval('s1'),
          ...GOOGLE,
          destination: await destination(rig, 's1'),
          admin: { ...admin, ...FIRST },
        },
        actorNamed('browser'),
      );
      const words = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'tenant.verify');
      expect([seed, said.ok, await pinOf(), words.length]).toEqual([seed, true, FIRST.customerId, 1]);
    }
  });
});

describe('another Workspace of the same domain', () => {
  it('is refused, and its word is not written', async () => {
    await speak(FIRST);
    const before = row(WORD);
    expect(codeOf(await speak(OTHER))).toBe('google-workspace-changed');
    expect([row(WORD), await pinOf(), await left()]).toEqual([before, FIRST.customerId, 0]);
  });

  it('is refused as well if Google does not tell which it is', async () => {
    expect(codeOf(await speak({}))).toBe('google-error');
    expect([row(WORD), await pinOf()]).toEqual([undefined, undefined]);
  });

  it('counts for nothing if its word came in while the pin was away', async () => {
    await speak(FIRST);
    const pinned = row(tenantRowKey(GOOGLE))!;
    rig.store.tamper('companies', COMPANY, tenantRowKey(GOOGLE), { ...pinned, pin: '' });
    expect((await speak(OTHER)).ok).toBe(true);
    expect(await left()).toBe(0);
    rig.store.tamper('companies', COMPANY, tenantRowKey(GOOGLE), pinned);
    expect(await left()).toBe(1);
  });

  it('is let in when the vendor removes the tenant and registers it again, which is recorded', async () => {
    await speak(FIRST);
    expect((await remove(rig, GOOGLE)).ok).toBe(true);
    await register(rig, GOOGLE);
    expect(await pinOf()).toBeUndefined();
    expect((await speak(OTHER)).ok).toBe(true);
    expect([await pinOf(), await left()]).toEqual([OTHER.customerId, 0]);
    const events = chainOf(rig.store, COMPANY).map(({ action }) => action);
    expect(events).toEqual(expect.arrayContaining(['tenant.remove', 'tenant.register']));
  });
});

describe('a pin that somebody else wrote', () => {
  it.each<[string, (pin: string) => string]>([
    ['names another Workspace', (pin) => pin.replace(FIRST.customerId, OTHER.customerId)],
    ['says another time', (pin) => pin.replace(/"pinnedAt":"20../, '"pinnedAt":"2019')],
  ])('and that %s is a forged row: nobody speaks, and what was said counts for nothing', async (_, forge) => {
    await speak(FIRST);
    const cells = row(tenantRowKey(GOOGLE))!;
    rig.store.tamper('companies', COMPANY, tenantRowKey(GOOGLE), { ...cells, pin: forge(String(cells['pin'])) });
    expect([codeOf(await speak(FIRST)), codeOf(await speak(OTHER))]).toEqual(['row-forged', 'row-forged']);
    expect(await left()).toBe(1);
    expect(chainOf(rig.store, COMPANY).map(({ action }) => action)).toContain('security.row-forged');
  });

  it('of an earlier registration is one too', async () => {
    await speak(FIRST);
    const { pin } = row(tenantRowKey(GOOGLE))!;
    await remove(rig, GOOGLE);
    rig.clock.advance(1_000);
    await register(rig, GOOGLE);
    rig.store.tamper('companies', COMPANY, tenantRowKey(GOOGLE), { ...row(tenantRowKey(GOOGLE))!, pin });
    expect(codeOf(await speak(FIRST))).toBe('row-forged');
  });
});
