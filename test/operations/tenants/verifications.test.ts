import { describe, expect, it } from 'vitest';
import { destinationDigest, type Approval } from '../../../shared/domain/approval.ts';
import { err } from '../../../shared/domain/result.ts';
import { companyCells } from '../../../shared/store/rows/company-rows.ts';
import { COMPANY_ROW_KEY } from '../../../shared/store/rows/row-keys.ts';
import { loadCompany } from '../../../shared/store/control-state.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { recordVerification, unverifiedTenants } from '../../../shared/operations/tenants/verifications.ts';
import { ADMIN, actorNamed } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig, VENDOR } from '../switches/rig.ts';
import {
  destination,
  ENTRA,
  GOOGLE,
  HOUR_MS,
  register,
  remove,
  stateOf,
  switchApproval,
  taken,
  verify,
} from './tenant-rig.ts';

const VERIFICATION = `verification|switch|default|s1|microsoft-365|${ENTRA.tenantId}`;

async function waiting(options: { readonly wrapTables?: (tables: Tables) => Tables } = {}): Promise<Rig> {
  const rig = await Rig.withDataKeys(4, options);
  await register(rig, ENTRA);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  return rig;
}

const verifications = (rig: Rig): string[] =>
  [...rig.store.dump()].map(({ rowKey }) => rowKey).filter((rowKey) => rowKey.startsWith('verification|'));
/** Answers are lost only of what is written to the company's own partition. */
const losingInCompanies = ({ store }: Rig, faulty: Tables): Tables =>
  tablesBut(store, {
    write: (table, ...rest) => (table === 'companies' ? faulty : store).write(table, ...rest),
  });

const verified = (rig: Rig) => chainOf(rig.store).filter(({ action }) => action === 'tenant.verify');

describe('recording that a tenant’s administrator agreed', () => {
  it('leaves a sealed row, an event that says who and what, and a message for the switch', async () => {
    const rig = await waiting();
    expect(await verify(rig, 's1', ENTRA)).toEqual({ ok: true, value: undefined });
    expect(verifications(rig)).toEqual([VERIFICATION]);
    expect(verified(rig)).toMatchObject([
      { by: 'browser', target: `tenant|microsoft-365|${ENTRA.tenantId}`, outcome: 'done' },
    ]);
    expect(JSON.parse(verified(rig)[0]!.detail)).toEqual({
      approval: 'switch|default|s1',
      adminId: `${ENTRA.tenantId}/admin`,
      adminName: 'Ann',
    });
    expect(taken(rig)).toEqual(['advance']);
  });

  it('a second time takes the place of the first, with the later time', async () => {
    const rig = await waiting();
    await verify(rig, 's1', ENTRA);
    rig.clock.advance(HOUR_MS);
    await verify(rig, 's1', ENTRA, { admin: { id: `${ENTRA.tenantId}/another`, name: 'Bob' } });
    expect(verifications(rig)).toEqual([VERIFICATION]);
    expect(rig.store.peek('companies', COMPANY, VERIFICATION)?.cells).toMatchObject({
      adminId: `${ENTRA.tenantId}/another`,
      adminName: 'Bob',
      verifiedAt: rig.clock.now().toISOString(),
    });
  });

  it.each([
    [
      'tenant that is not registered',
      's1',
      GOOGLE,
      {},
      { type: 'not-found', what: 'tenant', id: 'google-workspace/contoso.com' },
    ],
    ['company that does not exist', 's1', ENTRA, { companyId: 'nobody' }, { type: 'not-found', what: 'company' }],
    ['switch that does not exist', 's2', ENTRA, { destination: 'x' }, { type: 'not-found', what: 'switch', id: 's2' }],
    [
      'keyring that does not exist',
      's1',
      ENTRA,
      { destination: 'x', approval: { for: 'export', keyringId: 'none', round: 1, recipient: { type: 'passphrase' } } },
      { type: 'not-found', what: 'keyring' },
    ],
    [
      'destination that is another by now',
      's1',
      ENTRA,
      { destination: 'elsewhere' },
      { type: 'state', code: 'destination-changed' },
    ],
  ] as const)('is refused for a %s, and changes nothing', async (_, switchId, tenant, change, refusal) => {
    const rig = await waiting();
    expect(await verify(rig, switchId, tenant, change)).toMatchObject({ ok: false, error: refusal });
    expect([verifications(rig), verified(rig), taken(rig)]).toEqual([[], [], []]);
  });

  it('is refused for a switch that has ended', async () => {
    const rig = await waiting();
    const there = await destination(rig, 's1');
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    expect(await verify(rig, 's1', ENTRA, { destination: there })).toMatchObject({
      error: { type: 'state', code: 'switch-ended' },
    });
    expect(verifications(rig)).toEqual([]);
  });

  it('is refused for a re-key, which leads nowhere else', async () => {
    const rig = await Rig.withDataKeys(1);
    await register(rig, ENTRA);
    await startRekey(rig.deps, place('s1'), ADMIN);
    expect(await verify(rig, 's1', ENTRA, { destination: 'x' })).toMatchObject({
      error: { type: 'state', code: 'nothing-to-verify' },
    });
  });

  it('is refused while the company is being deleted', async () => {
    const rig = await waiting();
    const company = (await loadCompany(rig.store, COMPANY))!.value;
    rig.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells({ ...company, state: 'closing' }));
    expect(await verify(rig, 's1', ENTRA)).toMatchObject({ error: { type: 'state', code: 'company-closing' } });
  });

  it('is refused with what is written beside it, and then neither is written', async () => {
    const rig = await waiting();
    const refusal = { type: 'busy', retryAfterSeconds: 1 } as const;
    const agreed = {
      companyId: COMPANY,
      approval: switchApproval('s1'),
      ...ENTRA,
      admin: { id: `${ENTRA.tenantId}/x`, name: 'Ann' },
    };
    const refused = await recordVerification(
      rig.deps,
      { ...agreed, destination: await destination(rig, 's1') },
      actorNamed('browser'),
      () => Promise.resolve(err(refusal)),
    );
    expect(refused).toEqual(err(refusal));
    expect([verifications(rig), taken(rig)]).toEqual([[], []]);
  });

  it('is refused, with what is wrong, while nothing can be sealed', async () => {
    const rig = await waiting();
    rig.vaults.fail({ operation: 'sign', failure: 'vault-unreachable', times: 1 });
    expect(await verify(rig, 's1', ENTRA)).toMatchObject({ error: { failure: { code: 'vault-unreachable' } } });
    expect(verifications(rig)).toEqual([]);
  });

  it('meets a tenant that was removed while it was sealed', async () => {
    const rig = await waiting();
    rig.vaults.onCall = async ({ operation }) => {
      if (operation !== 'sign') return;
      // The removal is sealed too, on the switch.
      rig.vaults.onCall = undefined;
      await remove(rig, ENTRA);
    };
    expect(await verify(rig, 's1', ENTRA)).toMatchObject({ error: { type: 'not-found', what: 'tenant' } });
    expect(verifications(rig)).toEqual([]);
  });

  it('twice at once is one verification, and both are answered well', async () => {
    const slow = { lostBefore: 0, lostAfter: 0, unavailable: 0 };
    const rig = await waiting({ wrapTables: (tables) => new FaultyTables(tables, { seed: 3, faults: slow }) });
    const both = await Promise.all([verify(rig, 's1', ENTRA), verify(rig, 's1', ENTRA)]);
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    expect(verifications(rig)).toEqual([VERIFICATION]);
    await rig.drain();
    expect(await stateOf(rig, 's1')).toBe('completed');
  });

  it('of the last two at once sets the switch going', async () => {
    const slow = { lostBefore: 0, lostAfter: 0, unavailable: 0 };
    for (let seed = 1; seed <= 20; seed += 1) {
      const rig = await Rig.withDataKeys(4, {
        wrapTables: (tables) => new FaultyTables(tables, { seed, faults: slow }),
      });
      await register(rig, ENTRA, GOOGLE);
      await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
      await rig.drain();
      await Promise.all([verify(rig, 's1', ENTRA), verify(rig, 's1', GOOGLE)]);
      expect(rig.queue.size).toBeGreaterThan(0);
      await rig.drain();
      expect(await stateOf(rig, 's1')).toBe('completed');
    }
  });

  it.each(['lostBefore', 'lostAfter'] as const)(
    'is recorded once, and answered well, with answers %s',
    async (fault) => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const rig = await waiting();
        const faults = { lostBefore: 0, lostAfter: 0, unavailable: 0, [fault]: 0.4 };
        rig.deps = rig.freshHost(losingInCompanies(rig, new FaultyTables(rig.store, { seed, faults })));
        expect(await verify(rig, 's1', ENTRA)).toEqual({ ok: true, value: undefined });
        rig.deps = rig.freshHost();
        expect([verifications(rig), verified(rig).length]).toEqual([[VERIFICATION], 1]);
        await rig.drain();
        expect(await stateOf(rig, 's1')).toBe('completed');
      }
    },
  );

  it('stands although the store goes away right after it: the timer finds the switch', async () => {
    const rig = await waiting();
    const there = await destination(rig, 's1');
    const away = new FaultyTables(rig.store, { seed: 1, faults: { lostBefore: 0, lostAfter: 0, unavailable: 0 } });
    rig.deps = rig.freshHost(
      tablesBut(away, {
        write: async (...parameters) => {
          const written = await away.write(...parameters);
          if (parameters[0] === 'companies') away.faults = { ...away.faults, unavailable: 1 };
          return written;
        },
      }),
    );
    expect(await verify(rig, 's1', ENTRA, { destination: there })).toEqual({ ok: true, value: undefined });
    expect([verifications(rig), rig.queue.size]).toEqual([[VERIFICATION], 0]);
    expect(rig.log.entries).toContainEqual({ level: 'warning', event: 'switch.left-to-timer', detail: place('s1') });
  });

  it('ends with a bug that comes after it, and is recorded', async () => {
    const rig = await waiting();
    rig.queue.send = () => Promise.reject(new TypeError('a bug'));
    await expect(verify(rig, 's1', ENTRA)).rejects.toThrow('a bug');
    expect(verifications(rig)).toEqual([VERIFICATION]);
  });
});

describe('of an export', () => {
  const round = (number: number): Approval => ({
    for: 'export',
    keyringId: KEYRING,
    round: number,
    recipient: { type: 'passphrase' },
  });
  const fromVendor = destinationDigest(VENDOR);

  it('what was said of one round is void in the next, and nobody is sent a message', async () => {
    const rig = await Rig.withDataKeys(1);
    await register(rig, ENTRA);
    const approval = round(1);
    expect(await verify(rig, '', ENTRA, { approval, destination: fromVendor })).toMatchObject({ ok: true });
    expect(rig.queue.size).toBe(0);
    const asked = { companyId: COMPANY, destination: fromVendor, now: rig.clock.now() };
    expect(await unverifiedTenants(rig.deps, { ...asked, approval })).toEqual({ ok: true, value: [] });
    expect(await unverifiedTenants(rig.deps, { ...asked, approval: round(2) })).toMatchObject({ value: [ENTRA] });
  });

  it('is old after a day', async () => {
    const rig = await Rig.withDataKeys(1);
    await register(rig, ENTRA);
    await verify(rig, '', ENTRA, { approval: round(1), destination: fromVendor });
    rig.clock.advance(24 * HOUR_MS + 1);
    const asked = { companyId: COMPANY, approval: round(1), destination: fromVendor };
    expect(await unverifiedTenants(rig.deps, asked)).toEqual({ ok: true, value: [] });
    expect(await unverifiedTenants(rig.deps, { ...asked, now: rig.clock.now() })).toMatchObject({ value: [ENTRA] });
  });

  it('says so when the seal key is away', async () => {
    const rig = await Rig.withDataKeys(1);
    await register(rig, ENTRA);
    await verify(rig, '', ENTRA, { approval: round(1), destination: fromVendor });
    rig.vaults.fail({ operation: 'publicKey', failure: 'vault-unreachable' });
    expect(
      await unverifiedTenants(rig.deps, { companyId: COMPANY, approval: round(1), destination: fromVendor }),
    ).toMatchObject({ ok: false, error: { code: 'vault-unreachable' } });
  });
});

it('what was said of a switch that ended stays as the record of it, and is never asked for again', async () => {
  const rig = await waiting();
  await verify(rig, 's1', ENTRA);
  await rig.drain();
  expect([await stateOf(rig, 's1'), verifications(rig)]).toEqual(['completed', [VERIFICATION]]);
  expect(
    await unverifiedTenants(rig.deps, { companyId: COMPANY, approval: switchApproval('s2'), destination: 'x' }),
  ).toMatchObject({ value: [ENTRA] });
});
