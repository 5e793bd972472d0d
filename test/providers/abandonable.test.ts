// An asker who waits no longer learns nothing, least of all that a vault does not answer.
import { beforeEach, expect, it } from 'vitest';
import { abandonable } from '../../shared/providers/abandonable.ts';
import { TestWorld, VENDOR } from '../world.ts';

let world: TestWorld;
let leaving: AbortController;
let calls: ReturnType<typeof callsOf>;
beforeEach(() => {
  world = new TestWorld();
  leaving = new AbortController();
  calls = callsOf(leaving.signal);
});

const WRAPPED = {
  keyId: `https://${VENDOR.host}/keys/${VENDOR.keyName}/0`,
  algorithm: 'RSA-OAEP-256',
  ciphertext: 'AA',
};
const callsOf = (signal: AbortSignal) => {
  const provider = world.providers().through(abandonable(signal)).of(VENDOR.ref);
  return {
    read: () => provider.read(VENDOR, { purpose: 'in-force' }),
    unwrap: () => provider.unwrap(VENDOR, WRAPPED),
  };
};

it.each(['read', 'unwrap'] as const)(
  'one that waits for a %s is told of its own leaving, and of no failure',
  async (call) => {
    world.vaults.onCall = () => new Promise(() => undefined);
    const waiting = calls[call]();
    leaving.abort();
    await expect(waiting).rejects.toBe(leaving.signal.reason);
  },
);

it.each(['read', 'unwrap'] as const)('one that has left asks for no %s any more', async (call) => {
  leaving.abort();
  await expect(calls[call]()).rejects.toBe(leaving.signal.reason);
  expect(world.vaults.calls).toEqual([]);
});

it('one that stays is answered as without', async () => {
  expect(await calls.read()).toMatchObject({ ok: true });
  world.vaults.fail({ operation: 'any', failure: 'access-denied-rbac' });
  expect(await calls.unwrap()).toMatchObject({ ok: false, error: { code: 'access-denied-rbac' } });
});
