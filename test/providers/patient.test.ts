// Denials that may be a grant on its way, for whoever uses a vault.
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../shared/failures.ts';
import type { Failure, FailureCode } from '../../shared/domain/failure.ts';
import type { VaultTarget } from '../../shared/domain/provider.ts';
import type { Result } from '../../shared/domain/result.ts';
import { patient } from '../../shared/providers/patient.ts';
import type { KeyProvider } from '../../shared/providers/provider.ts';
import { FakeClock } from '../fakes/fake-system.ts';
import { FakeVaults } from '../fakes/fake-vaults.ts';
import { providersOver } from '../fakes/providers.ts';
import { errorOf, valueOf } from '../operations/data-keys/world.ts';

const HOST = 'contoso.vault.azure.net';
const PROPAGATION_MS = 600_000;

let vaults: FakeVaults;
let clock: FakeClock;
let asked: KeyProvider;
let target: VaultTarget;
let keyId: string;
beforeEach(() => {
  vaults = new FakeVaults();
  clock = new FakeClock();
  const tenantId = '22222222-2222-4222-8222-222222222222';
  const ref = { provider: 'azure-key-vault', connectionId: 'contoso' } as const;
  vaults.addVault({ host: HOST, tenantId });
  vaults.addKey({ host: HOST, keyName: 'main-key' });
  keyId = vaults.addKey({ host: HOST, keyName: 'main-key' }).describes.keyId;
  target = { ref, host: HOST, keyName: 'main-key', tenantId, grantedAt: clock.now().toISOString() };
  const provider = providersOver({ vaults, vendor: target, clock }).of(ref);
  asked = patient(provider, { clock, propagationMs: PROPAGATION_MS });
});

/** Each operation of the port. The bytes come to nothing where the vault is asked, which is all that matters here. */
const OPERATIONS: readonly ['readKey' | 'unwrap', (at?: VaultTarget) => Promise<Result<unknown, Failure>>][] = [
  ['readKey', (at = target) => asked.read(at, { purpose: 'in-force' })],
  ['unwrap', (at = target) => asked.unwrap(at, { keyId, algorithm: 'RSA-OAEP-256', ciphertext: 'AAAA' })],
];

describe.each(OPERATIONS)('a denial of %s', (operation, ask) => {
  const deny = (code: FailureCode = 'access-denied-rbac'): void => vaults.fail({ operation, failure: code });

  it.each(['access-denied-rbac', 'access-denied-policy', 'federation-mismatch'] as const)(
    'soon after the grant is told as on its way, and until when (%s)',
    async (code) => {
      deny(code);
      clock.advance(PROPAGATION_MS - 1);
      expect(errorOf(await ask())).toMatchObject({
        kind: 'propagating',
        code,
        becomesDeniedAt: new Date(Date.parse(target.grantedAt!) + PROPAGATION_MS).toISOString(),
      });
    },
  );

  it('is a denial from the moment on when the grant should have arrived', async () => {
    deny();
    clock.advance(PROPAGATION_MS);
    expect(errorOf(await ask())).toMatchObject({ kind: 'denied', code: 'access-denied-rbac' });
  });

  it('is a denial where nobody ever said that access was granted', async () => {
    deny();
    const { grantedAt, ...never } = target;
    expect(grantedAt).toBeDefined();
    expect(errorOf(await ask(never))).toMatchObject({ kind: 'denied', code: 'access-denied-rbac' });
  });

  it.each(['key-disabled', 'consent-required', 'key-not-found', 'vault-unreachable', 'throttled'] as const)(
    'for another reason is told as it is, however fresh the grant: %s',
    async (code) => {
      deny(code);
      const told = errorOf(await ask());
      expect(told).toEqual(failure(code, told.facts));
      expect(told.becomesDeniedAt).toBeUndefined();
    },
  );
});

describe.each(OPERATIONS)('our app that Entra does not know at %s', (operation, ask) => {
  it('is on its way for minutes after consent, and so is no revocation', async () => {
    vaults.fail({ operation, failure: 'consent-required' });
    const consented = { ...target, consentedAt: clock.now().toISOString() };
    clock.advance(PROPAGATION_MS - 1);
    const told = errorOf(await ask(consented));
    expect(told).toMatchObject({ kind: 'propagating', code: 'consent-required' });
    clock.advance(1);
    expect(errorOf(await ask(consented))).toMatchObject({ kind: 'denied', code: 'consent-required' });
  });
});

describe('a vault that answers', () => {
  it('is heard as it is: the newest version of the key, or the one that is named', async () => {
    expect(valueOf(await asked.read(target, { purpose: 'in-force' })).keyId).toBe(keyId);
    const older = `https://${HOST}/keys/main-key/${'1'.padStart(32, '0')}`;
    expect(valueOf(await asked.read(target, { purpose: 'in-force', keyId: older })).keyId).toBe(older);
  });

  it('gives what it unwraps', async () => {
    const key = createPublicKey(vaults.newestKey(HOST).privateKey);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const ciphertext = publicEncrypt({ key, padding, oaepHash: 'sha256' }, Buffer.from('a company key'));
    const wrapped = { keyId, algorithm: 'RSA-OAEP-256', ciphertext: ciphertext.toString('base64url') };
    expect(Buffer.from(valueOf(await asked.unwrap(target, wrapped))).toString()).toBe('a company key');
  });
});
