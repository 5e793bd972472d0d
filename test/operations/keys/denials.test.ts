// The list of denials in force: who writes it, who learns of it and what is dropped then. What outages make of it is in outage-bridge.test.ts.
import { beforeEach, describe, expect, it } from 'vitest';
import { asPropagating, type Failure } from '../../../shared/domain/failure.ts';
import { failure } from '../../../shared/failures.ts';
import { Denials, DENIALS_AGE_MS } from '../../../shared/operations/keys/denials.ts';
import { denialRow } from '../../../shared/store/rows/denial-rows.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import type { TestHost } from '../../world.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { COMPANY, CONTOSO_HOST, FABRIKAM, FABRIKAM_HOST, place, VENDOR } from '../switches/rig.ts';
import { Bridged, CONNECTION, CONTEXT, settled, told, TTL_MS } from './bridged-world.ts';

let world: Bridged;
beforeEach(async () => {
  world = await Bridged.begin();
});

const WANTED = { version: 2, use: 'rewrap' } as const;
const FACTS = { vaultHost: CONTOSO_HOST };
const isOfDenials = ({ table }: { readonly table: string }): boolean => table === 'health';
const denialsOver = (tables: FaultyTables): Denials => new Denials({ ...world.rig.deps, tables });

describe('an unwrap that meets a revocation', () => {
  it('lists it once, and tells the log', async () => {
    const tables = new FaultyTables(world.rig.store);
    const host = world.host({ tables });
    world.vaultSays('key-disabled');
    expect([await told(host), await told(host)]).toEqual(['key-disabled', 'key-disabled']);
    expect(tables.writes.filter(isOfDenials)).toHaveLength(1);
    expect(world.rig.log.entries).toEqual([
      { level: 'warning', event: 'vault.denial-listed', detail: { ...CONNECTION, code: 'key-disabled' } },
    ]);
    const { value } = (await host.denials.find(CONNECTION))!;
    expect(value).toEqual({ code: 'key-disabled', deniedAt: world.rig.clock.now().toISOString() });
  });

  it.each<[string, Failure]>([
    ['may be the vendor’s fault', failure('vault-firewall', { ...FACTS, clientAddress: '10.0.0.1' })],
    ['is for a reason that is not known', failure('vault-refused', FACTS)],
    ['is seen again first, a name that is gone', failure('vault-not-found', { ...FACTS, nameGone: true })],
    ['may pass as a grant arrives', asPropagating(failure('access-denied-rbac', FACTS), '2026-01-01T00:10:00.000Z')],
    ['is no denial', failure('throttled', FACTS)],
    ['is tampering', failure('key-substituted', FACTS)],
  ])('lists nothing that %s', async (_, found) => {
    world.vaultSays(found);
    expect(await told(world.host())).not.toBe('ok');
    expect(await world.isListed()).toBe(false);
  });

  it('lists nothing of the vendor’s own key', async () => {
    const host = world.host();
    const { rig } = world;
    await startRekey(rig.deps, place('r1'), ADMIN);
    rig.vaults.fail({ operation: 'unwrap', host: VENDOR.host, failure: 'key-disabled' });
    await told(host);
    expect(await world.isListed()).toBe(false);
  });

  it('lists it although the answer to the write is lost', async () => {
    const tables = new FaultyTables(world.rig.store);
    tables.at(isOfDenials).losesTheAnswer();
    world.vaultSays('key-disabled');
    await told(world.host({ tables }));
    expect(await world.isListed()).toBe(true);
  });

  it('refuses its caller all the same if it cannot be listed, and tries again some seconds later', async () => {
    const tables = new FaultyTables(world.rig.store);
    const host = world.host({ tables });
    tables.at(isOfDenials).isRefused();
    world.vaultSays('key-disabled');
    expect([await told(host), await told(host)]).toEqual(['key-disabled', 'key-disabled']);
    expect(world.rig.log.entries).toMatchObject([
      { event: 'store.unavailable', detail: { companyId: COMPANY, reason: 'planted' } },
    ]);
    tables.recovers();
    world.rig.clock.advance(DENIALS_AGE_MS);
    await told(host);
    expect(await world.isListed()).toBe(true);
  });
});

describe('a process that learns of a denial', () => {
  it('drops what it has cached, and asks the vault', async () => {
    const [serving, other] = [world.host(), world.host()];
    await told(serving);
    world.vaultSays('key-disabled');
    await told(other);
    expect(await told(serving)).toBe('ok');
    await serving.denials.look();
    expect(await told(serving)).toBe('key-disabled');
  });

  it('drops it for a second denial too, while the first is still listed', async () => {
    const [serving, other] = [world.host(), world.host()];
    world.vaultSays('key-disabled');
    await told(other);
    world.vaultSays(undefined);
    expect(await told(serving)).toBe('ok');
    await serving.denials.look();
    world.rig.clock.advance(2 * DENIALS_AGE_MS);
    world.vaultSays('key-disabled');
    await told(other);
    await serving.denials.look();
    expect(await told(serving)).toBe('key-disabled');
  });

  it('serves again with the first call after the key is given back, whatever is still listed', async () => {
    const host = world.host();
    world.vaultSays('key-disabled');
    await told(host);
    world.vaultSays(undefined);
    expect([await told(host), await world.isListed()]).toEqual(['ok', true]);
    const asked = world.unwraps;
    world.rig.clock.advance(DENIALS_AGE_MS);
    await host.denials.look();
    expect([await told(host), world.unwraps]).toEqual(['ok', asked]);
  });

  it('neither keeps nor shares what was being opened before', async () => {
    const [serving, other] = [world.host(), world.host()];
    const { promise: slow, resolve: end } = Promise.withResolvers<undefined>();
    world.rig.vaults.onCall = ({ operation }) => (operation === 'unwrap' ? slow : undefined);
    const early = told(serving);
    await settled();
    world.rig.vaults.onCall = undefined;
    await other.denials.add(CONNECTION, 'key-disabled', { again: true });
    await serving.denials.look();
    world.vaultSays('key-disabled');
    expect(await told(serving)).toBe('key-disabled');
    world.vaultSays(undefined);
    end(undefined);
    expect(await early).toBe('ok');
    world.vaultSays('key-disabled');
    expect(await told(serving)).toBe('key-disabled');
  });

  it('loses nothing of other companies', async () => {
    const host = world.host();
    await told(host);
    const asked = world.unwraps;
    await world.host().denials.add({ ...CONNECTION, companyId: 'globex' }, 'key-disabled', { again: true });
    world.rig.clock.advance(DENIALS_AGE_MS);
    await host.denials.look();
    expect([await told(host), world.unwraps]).toEqual(['ok', asked]);
  });

  it('asks once more for what another vault of the company opened, and bridges an outage of that one', async () => {
    const host = world.host();
    await told(host);
    const asked = world.unwraps;
    await world.host().denials.add({ companyId: COMPANY, connectionId: 'fabrikam' }, 'key-disabled', { again: true });
    world.rig.clock.advance(DENIALS_AGE_MS);
    world.vaultSays('vault-unreachable');
    await host.denials.look();
    expect([await told(host), world.unwraps]).toEqual(['ok', asked + 1]);
  });

  it('drops what the vault before a switch opened, where the one now in force denies', async () => {
    const { rig } = world;
    const [serving, other] = [world.host(), world.host()];
    await startSwitch(rig.deps, { ...place('s2'), target: FABRIKAM }, ADMIN);
    const isUnderWay = async (): Promise<boolean> =>
      (await loadSwitch(rig.store, place('s2')))?.value.state === 're-protecting';
    await rig.drain({ enough: isUnderWay });
    const moved = { ...CONTEXT, version: 3 };
    expect([await told(serving), await told(serving, moved)]).toEqual(['ok', 'ok']);
    await rig.drain();
    expect(rig.vaults.countOf('unwrap', FABRIKAM_HOST)).toBeGreaterThan(0);
    rig.vaults.fail({ operation: 'unwrap', host: FABRIKAM_HOST, failure: 'key-disabled' });
    expect([await told(serving), await told(serving, moved)]).toEqual(['ok', 'ok']);
    expect(await told(other, moved)).toBe('key-disabled');
    await serving.denials.look();
    expect([await told(serving), await told(serving, moved)]).toEqual(['gone', 'key-disabled']);
  });

  it('has the workers of switches ask the vaults anew', async () => {
    const { rig } = world;
    const host = world.host();
    await startRekey(rig.deps, place('r1'), ADMIN);
    const sw = (await loadSwitch(rig.store, place('r1')))!.value;
    await host.workerKeys.get(COMPANY, sw, WANTED);
    expect(host.workerKeys.isAtHand(COMPANY, sw, WANTED)).toBe(true);
    await host.denials.add(CONNECTION, 'key-disabled', { again: true });
    expect(host.workerKeys.isAtHand(COMPANY, sw, WANTED)).toBe(false);
  });

  it('costs no call for a key that is cached', async () => {
    const tables = new FaultyTables(world.rig.store);
    const host = world.host({ tables });
    await told(host);
    const [reads, asked] = [tables.reads, world.unwraps];
    tables.faults = { lostBefore: 1, lostAfter: 1, unavailable: 1 };
    expect([await told(host), tables.reads, world.unwraps]).toEqual(['ok', reads, asked]);
  });

  it('reads the list once in five seconds, however often it is asked', async () => {
    let lists = 0;
    const { store, clock } = world.rig;
    // The end of a list is confirmed by a second answer: only first ones are counted.
    const isFirst = ({ after = '' }: { readonly after?: string }): boolean => after === 'denied|';
    const tables = tablesBut(store, { list: (query) => ((lists += isFirst(query) ? 1 : 0), store.list(query)) });
    await world.host().denials.add(CONNECTION, 'key-disabled', { again: true });
    const denials = new Denials({ ...world.rig.deps, tables });
    await Promise.all([denials.look(), denials.find(CONNECTION), denials.look()]);
    clock.advance(DENIALS_AGE_MS - 1);
    await denials.look();
    expect(lists).toBe(1);
    clock.advance(1);
    await denials.look();
    expect(lists).toBe(2);
  });
});

describe('a denial that is over', () => {
  it('stays listed if it was denied anew since the row was found', async () => {
    const tables = new FaultyTables(world.rig.store);
    const denials = denialsOver(tables);
    await denials.add(CONNECTION, 'key-disabled', { again: true });
    const found = (await denials.find(CONNECTION))!;
    await denials.lift(found);
    world.rig.clock.advance(DENIALS_AGE_MS);
    await denials.add(CONNECTION, 'access-denied-rbac', { again: true });
    await denials.lift(found);
    expect(await world.isListed()).toBe(true);
  });

  it('is gone from the list although the answer was lost', async () => {
    const tables = new FaultyTables(world.rig.store);
    const denials = denialsOver(tables);
    await denials.add(CONNECTION, 'key-disabled', { again: true });
    const found = (await denials.find(CONNECTION))!;
    tables.atNext().losesTheAnswer();
    await denials.lift(found);
    expect(await denials.find(CONNECTION)).toBeUndefined();
  });

  it('is not known to be over while the store is away', async () => {
    const denials = denialsOver(
      new FaultyTables(world.rig.store, { seed: 1, faults: { lostBefore: 0, lostAfter: 0, unavailable: 1 } }),
    );
    await expect(denials.find(CONNECTION)).rejects.toThrow(StoreUnavailable);
  });
});

describe('the list is needed until the last key can be used no more', () => {
  it.each<[string, number, (host: TestHost, sw: Switch) => Promise<unknown>]>([
    ['with a grace', TTL_MS + 1_000, ({ companyKeys }) => companyKeys.get(CONTEXT)],
    ['by a worker that serves no caller', TTL_MS, ({ workerKeys }, sw) => workerKeys.get(COMPANY, sw, WANTED)],
    ['by a worker that has a kept key', TTL_MS, ({ workerKeys }, sw) => workerKeys.other(COMPANY, sw, 1)],
  ])('%s', async (_, lastsMs, open) => {
    const { rig } = world;
    await startRekey(rig.deps, place('r1'), ADMIN);
    const sw = (await loadSwitch(rig.store, place('r1')))!.value;
    const host = world.host({ graceMs: 1_000 });
    expect(host.denials.areNeeded).toBe(false);
    await open(host, sw);
    rig.clock.advance(lastsMs - 1);
    expect(host.denials.areNeeded).toBe(true);
    rig.clock.advance(1);
    expect(host.denials.areNeeded).toBe(false);
  });
});

it('a row of the list names its connection', () => {
  expect(denialRow.key(CONNECTION)).toBe('denied|acme|contoso');
});
