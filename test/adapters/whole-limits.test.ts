// A call out has its time as a whole: services that are slow at each step, none of them so slow as to be given up by itself.
import { setTimeout as delay } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Control } from '../../local/control/control.ts';
import { AzureSealer } from '../../shared/providers/azure-key-vault/client/sealer.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import type { Result } from '../../shared/domain/result.ts';
import { control } from '../local/real-names.ts';
import { SignInWorld } from './sign-in-world.ts';
import { VaultWorld, wrapped, type Customer } from './vault-world.ts';
import { FakeClock } from '../fakes/fake-system.ts';

const LIMIT_MS = 1_000;
/** Each answer comes well within the limit; a chain of them does not. */
const SLOW_MS = 600;
const LONG_MS = 10_000;
let world: VaultWorld;
let signIn: SignInWorld;
let customer: Customer;

beforeAll(async () => {
  signIn = await SignInWorld.start();
  world = new VaultWorld(signIn.azure);
  customer = await world.customer();
});
afterEach(() => {
  world.reset();
  signIn.azure.google.control.clearFaults();
});
afterAll(() => signIn.close());

const controls = (): Record<string, Control> => ({
  identity: world.azure.managedIdentity.control,
  entra: world.azure.entra.control,
  vault: world.azure.keyVault.control,
  google: world.azure.google.control,
});

/** All of them, or all but those named. */
function slowDown(...names: readonly string[]): void {
  for (const name of names) controls()[name]?.plant({ effect: { delayMs: SLOW_MS } });
}

/** One of which no token is cached in this process. */
async function anIdentity(): Promise<string> {
  const clientId = randomUUID();
  const { controlUrl } = world.azure.managedIdentity;
  await control(controlUrl, 'PUT', `/identities/${clientId}`, { principalId: randomUUID() });
  return clientId;
}

async function workspace(): Promise<{ readonly domain: string; readonly userName: string }> {
  const domain = 'slow.example';
  const userName = `ada@${domain}`;
  await signIn.google('PUT', `/domains/${domain}`);
  await signIn.google('PUT', `/users/${userName}`, { name: 'Ada', isAdmin: true });
  return { domain, userName };
}

/** The failure's code, `ok`, or that the time was up first: timers fire in the order in which they are due, on a slow machine too. */
const endOf = (call: Promise<Result<unknown, Failure>>, limitMs = LIMIT_MS): Promise<string> =>
  Promise.race([call.then((result) => (result.ok ? 'ok' : result.error.code)), delay(limitMs * 1.4, 'too late')]);

test('an unwrap takes its time as a whole: challenge, identity, Entra and the vault itself', async () => {
  slowDown('identity', 'entra', 'vault');
  const { vaults } = world.clients({ timeoutMs: LIMIT_MS });
  const { ciphertext } = wrapped();
  const end = await endOf(vaults.unwrap(customer.target, { keyId: customer.keyId, ciphertext }));
  expect(end).not.toMatch(/ok|too late/);
});

test('a key is read within the same time', async () => {
  slowDown('vault', 'entra');
  const { vaults } = world.clients({ timeoutMs: LIMIT_MS });
  expect(await endOf(vaults.readKey(customer.target))).toMatch(/^(vault|entra)-unreachable$/);
});

test('a seal is made within the same time, key and signature', async () => {
  const vendor = await world.vendor();
  await world.addKey(vendor.host, 'seal', 'ec-p256-1');
  const { pool } = world.clients({ timeoutMs: LIMIT_MS });
  slowDown('vault');
  const sealer = new AzureSealer(pool, { ...vendor.target, keyName: 'seal' }, new FakeClock());
  expect(await endOf(sealer.sign(Buffer.from('row')))).toBe('vault-unreachable');
});

test('a token is had within the same time, and what was slow is named', async () => {
  const { probe } = world.clients({ timeoutMs: LIMIT_MS });
  // Within the time of the whole call, and past what a token may take of it.
  controls()['entra']?.plant({ effect: { delayMs: LIMIT_MS * 0.9 } });
  expect(await endOf(probe.obtainToken(customer.target))).toBe('entra-unreachable');
  world.reset();
  // The identity's share of the time begins a little after that of the whole token, of which the rest must be longer than a slow moment here.
  const { probe: another } = world.clients({ timeoutMs: LONG_MS, identityClientId: await anIdentity() });
  controls()['identity']?.plant({ effect: { hang: true } });
  expect(await endOf(another.obtainToken(customer.target), LONG_MS)).toBe('managed-identity-unavailable');
});

test('a sign-in is redeemed within the same time, at Microsoft and at Google', async () => {
  const signIns = signIn.signIns({ timeoutMs: LIMIT_MS * 10 });
  const { tenantId, grace } = await signIn.tenant();
  const microsoft = await signIn.throughMicrosoft(signIns, { tenantId, userName: grace });
  const { domain, userName } = await workspace();
  const google = await signIn.throughGoogle(signIns, { domain, userName });
  slowDown('entra', 'google');
  const impatient = signIn.signIns({ timeoutMs: LIMIT_MS });
  expect(await endOf(impatient.microsoft.redeem(microsoft))).toBe('entra-unreachable');
  expect(await endOf(impatient.google.redeem(google))).toBe('google-unreachable');
});

test('what was too late for one call serves the next', async () => {
  const { vaults } = world.clients({ timeoutMs: 5_000 });
  controls()['vault']?.plant({ operation: 'get', times: 1, effect: { hang: true } });
  const impatient = world.clients({ timeoutMs: 300 });
  expect(await endOf(impatient.vaults.readKey(customer.target))).not.toMatch(/ok|too late/);
  expect((await vaults.readKey(customer.target)).ok).toBe(true);
});

/** Everything that a vault call waits for, and where in its answer each may stop. */
const STEPS = [
  { service: 'vault', operation: 'handshake' },
  { service: 'vault', operation: 'challenge' },
  { service: 'vault', operation: 'get' },
  { service: 'entra', operation: 'token' },
  { service: 'identity', operation: 'token' },
].flatMap(({ service, operation }) =>
  operation === 'handshake'
    ? [{ service, operation, effect: { hang: true } as const }]
    : ([{ hang: true }, { stall: 'headers' }, { stall: 'body' }] as const).map((effect) => ({
        service,
        operation,
        effect,
      })),
);

test.each(STEPS)('$service silent at $operation ($effect) costs its time as a whole', async (step) => {
  const { service, operation, effect } = step;
  const fresh = await world.customer();
  controls()[service]?.plant({ operation, effect });
  const { vaults } = world.clients({
    timeoutMs: LIMIT_MS,
    ...(service === 'identity' ? { identityClientId: await anIdentity() } : {}),
  });
  expect(await endOf(vaults.readKey(fresh.target))).toMatch(
    {
      vault: /^vault-unreachable$/,
      entra: /^entra-unreachable$/,
      identity: /^(managed-identity-unavailable|entra-unreachable)$/,
    }[service]!,
  );
});
