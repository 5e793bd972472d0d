// A person who writes the tables, at the list of denials. They can have vaults asked anew and outages felt. They cannot have a key served that an instance
// has dropped, nor a vault called revoked that is not.
import { beforeEach, describe, expect, it } from 'vitest';
import { CONFIRM_AFTER_MS } from '../../../shared/domain/health.ts';
import { DENIALS_AGE_MS } from '../../../shared/operations/keys/denials.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import { denialCells, type Denial } from '../../../shared/store/rows/denial-rows.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import type { TestHost } from '../../world.ts';
import { Bridged, CONNECTION, DENIED_ROW, GRACE_MS, told, TTL_MS } from './bridged-world.ts';

let world: Bridged;
let serving: TestHost;
let other: TestHost;
beforeEach(async () => {
  world = await Bridged.begin();
  [serving, other] = [world.host(), world.host()];
});

const put = (cells: Cells): void => world.rig.store.tamper('health', '_system', DENIED_ROW, cells);
const forge = (denial: Partial<Denial> = {}): void =>
  put(denialCells({ code: 'key-disabled', deniedAt: world.rig.clock.now().toISOString(), ...denial }));
async function look(host: TestHost): Promise<void> {
  world.rig.clock.advance(DENIALS_AGE_MS);
  await host.denials.look();
}
async function denied(): Promise<void> {
  world.vaultSays('key-disabled');
  expect(await told(other)).toBe('key-disabled');
}

describe('a denial that is invented', () => {
  it('costs one unwrap for each time that it is written, and neither refuses a caller nor calls a vault revoked', async () => {
    await told(serving);
    for (let forgery = 0; forgery < 3; forgery += 1) {
      const asked = world.unwraps;
      forge();
      await look(serving);
      expect([await told(serving), await told(serving), world.unwraps]).toEqual(['ok', 'ok', asked + 1]);
    }
    const checked = await checkConnection(other, CONNECTION);
    expect(checked).toMatchObject({ ok: true, value: { state: 'healthy' } });
    expect(await world.isListed()).toBe(false);
  });

  it('ends the bridging of an outage, and a check that finds the vault well takes it away', async () => {
    await told(serving);
    forge();
    await look(serving);
    await told(serving);
    world.vaultSays('vault-unreachable');
    world.rig.clock.advance(TTL_MS);
    expect(await told(serving)).toBe('vault-unreachable');
    world.vaultSays(undefined);
    await checkConnection(other, CONNECTION);
    await look(serving);
    await told(serving);
    world.vaultSays('vault-unreachable');
    world.rig.clock.advance(TTL_MS);
    expect(await told(serving)).toBe('ok');
  });
});

describe('what a writer of the tables gets of a denial', () => {
  it.each<[string, () => void]>([
    ['is dated ahead', () => forge({ deniedAt: '2099-01-01T00:00:00.000Z' })],
    ['is dated back', () => forge({ deniedAt: '1970-01-01T00:00:00.000Z' })],
    ['has no date', () => forge({ deniedAt: '' })],
    ['cannot be read', () => put({ format: 'x', code: 7, deniedAt: false })],
  ])('a denial whose row %s', async (_, tamperWith) => {
    tamperWith();
    await look(serving);
    await look(other);
    expect(await told(serving)).toBe('ok');
    // The customer's own comes after it, and reaches the process that serves within ten seconds all the same.
    await denied();
    await look(serving);
    expect(await told(serving)).toBe('key-disabled');
  });

  it('a row that is taken away gives nothing back to a process that has read it', async () => {
    await told(serving);
    await denied();
    await look(serving);
    await world.removeRow();
    world.vaultSays('vault-unreachable');
    expect(await told(serving)).toBe('vault-unreachable');
    world.rig.clock.advance(TTL_MS);
    await look(serving);
    expect(await told(serving)).toBe('vault-unreachable');
  });

  it('a row that is put back as it was is news: what was opened since is asked for again', async () => {
    await told(serving);
    await denied();
    const row = (await world.rig.store.read('health', '_system', DENIED_ROW))!;
    world.vaultSays(undefined);
    expect(await checkConnection(other, CONNECTION)).toMatchObject({ ok: true, value: { state: 'healthy' } });
    await look(serving);
    await told(serving);
    const asked = world.unwraps;
    put(row.cells);
    await look(serving);
    expect([await told(serving), world.unwraps]).toEqual(['ok', asked + 1]);
  });

  it('a row that is taken away is written again by the next unwrap, and by the next check', async () => {
    await denied();
    await world.removeRow();
    world.rig.clock.advance(DENIALS_AGE_MS);
    await denied();
    expect(await world.isListed()).toBe(true);
    await world.removeRow();
    world.rig.clock.advance(CONFIRM_AFTER_MS);
    await checkConnection(other, CONNECTION);
    expect(await world.isListed()).toBe(true);
  });

  it('at most: an instance that never reads the row, and cannot reach the vault, serves to the end of time and grace', async () => {
    await told(serving);
    const openedMs = world.rig.clock.now().getTime();
    await denied();
    await world.removeRow();
    world.vaultSays('vault-unreachable');
    let lastMs = 0;
    while ((await told(serving)) === 'ok') {
      lastMs = world.rig.clock.now().getTime();
      world.rig.clock.advance(DENIALS_AGE_MS);
    }
    expect(lastMs - openedMs).toBe(TTL_MS + GRACE_MS - DENIALS_AGE_MS);
  });
});
