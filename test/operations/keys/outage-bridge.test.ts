// Invariant 9, and the grace: while a vault cannot be reached the keys that it opened serve on, and no denial that any process saw is outlived.
import { beforeEach, describe, expect, it } from 'vitest';
import { asPropagating, asWarning } from '../../../shared/domain/failure.ts';
import { failure } from '../../../shared/failures.ts';
import { RENEW_AFTER_MS, STRETCH_MS } from '../../../shared/operations/keys/outage-bridge.ts';
import { DENIALS_AGE_MS } from '../../../shared/operations/keys/denials.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import type { Result } from '../../../shared/domain/result.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { startRekey } from '../../../shared/operations/switches/start.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { ADMIN } from '../../fakes/actors.ts';
import type { TestHost } from '../../world.ts';
import { DENYING, PASSING, STOPPING, troubleOf } from '../../simulation/troubles.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { COMPANY, CONTOSO_HOST, place } from '../switches/rig.ts';
import { Bridged, CONNECTION, CONTEXT, GRACE_MS, settled, told, TTL_MS } from './bridged-world.ts';

let world: Bridged;
beforeEach(async () => {
  world = await Bridged.begin();
});

const FACTS = { vaultHost: CONTOSO_HOST };
const wait = (ms: number): void => world.rig.clock.advance(ms);

describe('a company key whose vault cannot be reached', () => {
  it.each(PASSING)('serves on if the vault meets %s, and the log says until when', async (code) => {
    const host = world.host();
    const openedMs = world.rig.clock.now().getTime();
    expect(await told(host)).toBe('ok');
    world.vaultSays(code);
    wait(TTL_MS);
    expect(await told(host)).toBe('ok');
    const until = new Date(openedMs + TTL_MS + GRACE_MS).toISOString();
    expect(world.rig.log.entries).toMatchObject([
      { event: 'company-key.outage-bridged', detail: { ...CONTEXT, until } },
    ]);
  });

  it('serves to the end of the grace, counted from before the vault last opened it, and no longer', async () => {
    const host = world.host();
    const endMs = world.rig.clock.now().getTime() + TTL_MS + GRACE_MS;
    await told(host);
    world.vaultSays('vault-unreachable');
    wait(TTL_MS);
    while (world.rig.clock.now().getTime() < endMs) {
      expect(await told(host)).toBe('ok');
      wait(Math.min(RENEW_AFTER_MS, endMs - world.rig.clock.now().getTime()));
    }
    expect(await told(host)).toBe('vault-unreachable');
  });

  it('does not serve without a grace, nor in a process that never had it', async () => {
    const [host, cold] = [world.host({ graceMs: 0 }), world.host()];
    await told(host);
    world.vaultSays('vault-unreachable');
    wait(TTL_MS);
    expect([await told(host), await told(cold)]).toEqual(['vault-unreachable', 'vault-unreachable']);
  });

  it('is asked for anew by one call every twenty seconds, for which no caller waits', async () => {
    const host = world.host();
    await told(host);
    world.vaultSays('vault-unreachable');
    wait(TTL_MS);
    await told(host);
    const { promise: silence, resolve: end } = Promise.withResolvers<undefined>();
    world.rig.vaults.onCall = ({ operation }) => (operation === 'unwrap' ? silence : undefined);
    const before = world.unwraps;
    wait(RENEW_AFTER_MS - 1);
    await told(host);
    expect(world.unwraps).toBe(before);
    wait(1);
    expect([await told(host), await told(host), await told(host)]).toEqual(['ok', 'ok', 'ok']);
    expect(world.unwraps).toBe(before + 1);
    end(undefined);
    await settled();
    expect(await told(host)).toBe('ok');
  });

  it('has its whole time again once the vault opens it', async () => {
    const host = world.host();
    await told(host);
    world.vaultSays('throttled');
    wait(TTL_MS);
    await told(host);
    world.vaultSays(undefined);
    wait(RENEW_AFTER_MS);
    await told(host);
    const asked = world.unwraps;
    wait(TTL_MS - 1);
    expect([await told(host), world.unwraps]).toEqual(['ok', asked]);
    world.vaultSays('vault-unreachable');
    wait(GRACE_MS);
    expect(await told(host)).toBe('ok');
  });
});

describe('what is no outage', () => {
  it.each([
    ...[...DENYING, ...STOPPING].map((code) => troubleOf(code, CONTOSO_HOST)),
    failure('row-forged', {}),
    failure('vault-refused', FACTS),
    failure('key-expired', FACTS),
    asPropagating(failure('access-denied-rbac', FACTS), '2026-01-01T00:10:00.000Z'),
    asWarning(failure('key-disabled', FACTS)),
  ])('is never bridged, nor an outage after it ($code, $kind)', async (found) => {
    const host = world.host();
    await told(host);
    wait(TTL_MS);
    world.vaultSays(found);
    // Of a vault that was there it is said that it was deleted.
    expect(await told(host)).toBe(found.code === 'vault-not-found' ? 'vault-deleted' : found.code);
    world.vaultSays('vault-unreachable');
    expect(await told(host)).toBe('vault-unreachable');
    world.vaultSays(undefined);
    expect(await told(host)).toBe('ok');
  });

  it('ends the bridge where the next try meets it, for the next caller', async () => {
    const host = world.host();
    await told(host);
    world.vaultSays('vault-unreachable');
    wait(TTL_MS);
    await told(host);
    wait(RENEW_AFTER_MS);
    world.vaultSays('key-disabled');
    expect([await told(host), await told(host)]).toEqual(['ok', 'key-disabled']);
  });

  it.each([1_000, 10_000, TTL_MS])(
    'is felt within the promised time of %i ms if it begins right after a try',
    async (ttlMs) => {
      const host = world.host({ ttlMs });
      await told(host);
      world.vaultSays('vault-unreachable');
      wait(ttlMs);
      expect(await told(host)).toBe('ok');
      world.vaultSays('key-disabled');
      wait(Math.min(ttlMs, STRETCH_MS));
      expect(await told(host)).toBe('key-disabled');
    },
  );
});

describe('an outage of the vendor’s seal key', () => {
  const sealIsAway = (): void => {
    const found = failure('vault-unreachable', { vaultHost: 'seal.vault.azure.net', ownVault: 'seal-key' });
    world.rig.vaults.fail({ operation: 'publicKey', failure: found });
  };

  it('is bridged over no vault: it is not asked, so it could not deny', async () => {
    const host = world.host();
    await told(host);
    const asked = world.unwraps;
    sealIsAway();
    wait(TTL_MS - 1);
    expect(await told(host)).toBe('ok');
    wait(1);
    expect([await told(host), world.unwraps]).toEqual(['vault-unreachable', asked]);
  });

  it('says nothing of the vault: no check of it is asked for', async () => {
    const host = world.host();
    sealIsAway();
    expect(await told(host)).toBe('vault-unreachable');
    expect(world.rig.checkQueue.take()).toBeUndefined();
  });

  it('that is over leaves an outage of the vault to be bridged', async () => {
    const host = world.host();
    await told(host);
    sealIsAway();
    wait(TTL_MS);
    await told(host);
    world.vaultSays('vault-unreachable');
    expect(await told(host)).toBe('ok');
  });
});

describe('a clock that is set back', () => {
  const setBack = (): void => world.rig.clock.setBack(3_600_000);

  it('lengthens no promised time', async () => {
    const host = world.host({ graceMs: 0 });
    await told(host);
    world.vaultSays('key-disabled');
    wait(TTL_MS - 1);
    setBack();
    expect(await told(host)).toBe('ok');
    wait(1);
    expect(await told(host)).toBe('key-disabled');
  });

  it('lengthens no grace', async () => {
    const host = world.host();
    await told(host);
    world.vaultSays('vault-unreachable');
    wait(TTL_MS);
    for (let passedMs = 0; passedMs < GRACE_MS; passedMs += RENEW_AFTER_MS) {
      setBack();
      expect(await told(host)).toBe('ok');
      wait(RENEW_AFTER_MS);
    }
    expect(await told(host)).toBe('vault-unreachable');
  });

  it.each<[string, (host: TestHost, sw: Switch) => Promise<Result<unknown, unknown>>]>([
    ['a caller', ({ keptKeys }) => keptKeys.get({ ...CONTEXT, version: 1 })],
    ['a worker', ({ workerKeys }, sw) => workerKeys.other(COMPANY, sw, 1)],
  ])('lengthens no time for which a kept key serves %s', async (_, open) => {
    const host = world.host({ graceMs: 0 });
    const { rig } = world;
    await startRekey(rig.deps, place('r1'), ADMIN);
    const sw = (await loadSwitch(rig.store, place('r1')))!.value;
    expect((await open(host, sw)).ok).toBe(true);
    world.vaultSays('key-disabled');
    wait(TTL_MS - 1);
    setBack();
    expect((await open(host, sw)).ok).toBe(true);
    wait(1);
    expect((await open(host, sw)).ok).toBe(false);
  });

  it('has nobody go by an old list of denials', async () => {
    const [cutOff, other] = [world.host(), world.host()];
    await told(cutOff);
    world.vaultSays('vault-unreachable');
    wait(TTL_MS);
    expect(await told(cutOff)).toBe('ok');
    await other.denials.add(CONNECTION, 'key-disabled', { again: true });
    wait(DENIALS_AGE_MS);
    setBack();
    await cutOff.denials.look();
    expect(await told(cutOff)).toBe('vault-unreachable');
  });
});

describe('a denial that another process saw', () => {
  it('ends the bridge of one that cannot reach the vault, once it has looked', async () => {
    const [cutOff, other] = [world.host(), world.host()];
    await told(cutOff);
    world.vaultSays('vault-unreachable');
    wait(TTL_MS);
    expect(await told(cutOff)).toBe('ok');
    world.vaultSays('access-denied-rbac');
    expect([await told(other), await world.isListed()]).toEqual(['access-denied-rbac', true]);
    world.vaultSays('vault-unreachable');
    wait(DENIALS_AGE_MS);
    await cutOff.denials.look();
    expect(await told(cutOff)).toBe('vault-unreachable');
  });

  it('lets no further stretch begin, also where nothing looks but the try itself', async () => {
    const [cutOff, other] = [world.host(), world.host()];
    await told(cutOff);
    wait(TTL_MS);
    world.vaultSays('consent-required');
    await told(other);
    world.vaultSays('vault-unreachable');
    expect(await told(cutOff)).toBe('vault-unreachable');
  });

  it('is not undone by somebody who takes its row away after that', async () => {
    const [cutOff, other] = [world.host(), world.host()];
    await told(cutOff);
    world.vaultSays('key-disabled');
    await told(other);
    wait(DENIALS_AGE_MS);
    await cutOff.denials.look();
    await world.removeRow();
    wait(TTL_MS);
    await cutOff.denials.look();
    world.vaultSays('vault-unreachable');
    expect(await told(cutOff)).toBe('vault-unreachable');
  });

  it('might be in a list that cannot be read: then no stretch begins, and the promised time ends it', async () => {
    let isAway = false;
    const tables = tablesBut(world.rig.store, {
      list: (query) => (isAway ? Promise.reject(new StoreUnavailable('planted')) : world.rig.store.list(query)),
    });
    const host = world.host({ tables });
    await told(host);
    world.vaultSays('vault-unreachable');
    isAway = true;
    wait(TTL_MS - 1);
    expect(await told(host)).toBe('ok');
    wait(1);
    expect(await told(host)).toBe('vault-unreachable');
    isAway = false;
    expect(await told(host)).toBe('ok');
  });

  it('is lifted by a check that went well: then the next outage is bridged again', async () => {
    const host = world.host();
    world.vaultSays('key-disabled');
    await told(host);
    world.vaultSays(undefined);
    await told(host);
    const listed = await host.denials.find(CONNECTION);
    await host.denials.lift(listed!);
    wait(TTL_MS);
    world.vaultSays('vault-unreachable');
    expect(await told(host)).toBe('ok');
  });
});
