import { beforeEach, expect, it } from 'vitest';
import type { FailureCode } from '../../shared/domain/failure.ts';
import type { VaultTarget } from '../../shared/domain/provider.ts';
import type { KeyProvider } from '../../shared/providers/provider.ts';
import { silently } from '../../shared/providers/silent.ts';
import { FakeClock } from '../fakes/fake-system.ts';
import { FakeVaults } from '../fakes/fake-vaults.ts';
import { providersOver } from '../fakes/providers.ts';

const HOST = 'contoso.vault.azure.net';
const TARGET: VaultTarget = {
  ref: { provider: 'azure-key-vault', connectionId: 'c' },
  host: HOST,
  keyName: 'customer-key',
  tenantId: '22222222-2222-4222-8222-222222222222',
};
const OTHER_KEY: VaultTarget = { ...TARGET, keyName: 'other-key' };

let clock: FakeClock;
let vaults: FakeVaults;
let asked: KeyProvider;
let takesMs: number;
beforeEach(() => {
  clock = new FakeClock();
  vaults = new FakeVaults();
  vaults.addVault(TARGET);
  for (const { keyName } of [TARGET, OTHER_KEY]) vaults.addKey({ host: HOST, keyName });
  takesMs = 15_000;
  vaults.onCall = () => clock.advance(takesMs);
  asked = silently(clock)(providersOver({ vaults, vendor: TARGET, clock }).of(TARGET.ref));
});

const code = async (target = TARGET): Promise<FailureCode | 'ok'> => {
  const answer = await asked.read(target, { purpose: 'in-force' });
  return answer.ok ? 'ok' : answer.error.code;
};

it('a vault that said nothing is not asked for twenty seconds, is told as away, and then asked again', async () => {
  vaults.fail({ operation: 'any', failure: 'vault-unreachable', times: 1 });
  expect(await code()).toBe('vault-unreachable');
  clock.advance(19_999);
  const answer = await asked.unwrap(TARGET, {
    keyId: `https://${HOST}/keys/customer-key/1`,
    algorithm: 'RSA-OAEP-256',
    ciphertext: '',
  });
  expect(answer).toMatchObject({ ok: false, error: { code: 'vault-unreachable', kind: 'transient' } });
  expect(vaults.calls).toHaveLength(1);
  clock.advance(1);
  expect([await code(), await code(), vaults.calls.length]).toEqual(['ok', 'ok', 3]);
});

it('is then asked by one call at a time, which holds up the others for no more than twenty seconds', async () => {
  vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
  await code();
  clock.advance(20_000);
  vaults.onCall = () => new Promise(() => undefined);
  void asked.read(TARGET, { purpose: 'in-force' });
  expect([await code(), vaults.calls.length]).toEqual(['vault-unreachable', 2]);
  clock.advance(20_000);
  void asked.read(TARGET, { purpose: 'in-force' });
  expect(vaults.calls).toHaveLength(3);
});

it.each([
  ['a quick failure', 'vault-unreachable', 1_999],
  ['a slow denial', 'access-denied-rbac', 15_000],
] as const)('%s is not remembered', async (_what, failing, ms) => {
  takesMs = ms;
  vaults.fail({ operation: 'any', failure: failing, times: 1 });
  expect([await code(), await code()]).toEqual([failing, 'ok']);
});

it('says nothing of another key, which may be another company’s', async () => {
  vaults.fail({ operation: 'any', failure: 'vault-unreachable', times: 1 });
  expect([await code(), await code(OTHER_KEY)]).toEqual(['vault-unreachable', 'ok']);
});
