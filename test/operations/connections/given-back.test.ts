// A customer who gives access back and tests their connection green: the switch away from it is taken once the check that the test asked for is over, not
// only when the timer comes by.
import { beforeEach, expect, it } from 'vitest';
import type { CheckingConnection } from '../../../shared/operations/connections/connection-checks.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import type { TestHost } from '../../world.ts';
import { Bridged, CONNECTION, told } from '../keys/bridged-world.ts';
import { CONTOSO_HOST, MANAGED, place } from '../switches/rig.ts';
import { workChecks } from '../watch/round.ts';

let world: Bridged;
let host: TestHost & Pick<CheckingConnection, 'keyPolicy'>;
beforeEach(async () => {
  world = await Bridged.begin();
  host = { ...world.host(), keyPolicy: { propagationMs: 0 } };
});

/** The checks that were asked for; answers how many. */
async function checks(): Promise<number> {
  const asked = world.rig.checkQueue.size;
  await workChecks(host);
  return asked;
}
const leave = async (): Promise<string> => {
  const ordered = await startSwitch(world.rig.deps, { ...place('s2'), target: MANAGED }, ADMIN);
  return ordered.ok ? 'ordered' : ordered.error.type === 'state' ? ordered.error.code : ordered.error.type;
};
const test = async (): Promise<string> => {
  const tested = await testConnection(host, CONNECTION, ADMIN);
  return tested.ok ? tested.value.status : tested.error.type;
};

it('a green test has the vault checked at once, though it was checked a moment ago, and then it can be left', async () => {
  world.vaultSays('key-disabled');
  expect(await told(host)).toBe('key-disabled');
  expect([await checks(), await leave()]).toEqual([1, 'provider-revoked']);
  world.vaultSays(undefined);
  world.rig.clock.advance(1_000);
  expect([await test(), await leave()]).toEqual(['green', 'provider-revoked']);
  expect([await checks(), await leave(), await world.isListed()]).toEqual([1, 'ordered', false]);
});

it('a test that is not green asks for none', async () => {
  world.rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: 'key-disabled' });
  expect([await test(), await checks()]).toEqual(['failed', 0]);
});

it('nor does one of a key that nothing is under: it has no state', async () => {
  expect([
    await testConnection(host, { ...CONNECTION, connectionId: 'fabrikam' }, ADMIN),
    await checks(),
  ]).toMatchObject([{ value: { status: 'green' } }, 0]);
});
