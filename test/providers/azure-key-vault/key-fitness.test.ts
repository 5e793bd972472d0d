import { describe, expect, it } from 'vitest';
import { judgeKey, type KeyPolicy } from '../../../shared/providers/azure-key-vault/key-fitness.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import type { VaultKey } from '../../../shared/domain/provider.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const POLICY: KeyPolicy = { minRsaBits: 2048, purgeable: 'warn', now: NOW, purpose: 'test' };
const KEY: VaultKey = {
  keyId: 'https://contoso.vault.azure.net/keys/main-key/00000000000000000000000000000001',
  keyType: 'RSA',
  n: 'AQAB',
  e: 'AQAB',
  sizeBits: 2048,
  keyOps: ['wrapKey', 'unwrapKey'],
  enabled: true,
  recoveryLevel: 'Recoverable',
};

const judged = (
  change: Partial<VaultKey>,
  policy: Partial<KeyPolicy> = {},
): { denials: string[]; warnings: string[] } => {
  const { denials, warnings } = judgeKey({ ...KEY, ...change }, { ...POLICY, ...policy });
  return { denials: denials.map(({ code }) => code), warnings: warnings.map(({ code }) => code) };
};

describe('what is wrong with a version in use', () => {
  it.each([
    [{ expires: new Date(0) }, 'key-expired', /new version, which is followed by itself; or set a later expiry/],
    [{ sizeBits: 1024 }, 'key-too-small', /under the same name will do, which is followed by itself/],
  ])('%j: a new version alone mends nothing, and the remedy says what does', (change, code, say) => {
    const found = judgeKey({ ...KEY, ...change }, { ...POLICY, purpose: 'in-force' }).warnings.find(
      (warning) => warning.code === code,
    );
    expect(found?.remedy.text).toMatch(say);
    if (code === 'key-expired') expect(found?.remedy.azureCli).toBeUndefined();
    const ofNew = judgeKey({ ...KEY, ...change }, { ...POLICY, purpose: 'test' }).denials.find(
      (one) => one.code === code,
    );
    expect(ofNew?.remedy.text).not.toMatch(/followed by itself/);
    expect(ofNew?.remedy.azureCli).toBeDefined();
  });
});

describe('what is to be done about a key', () => {
  const first = (change: Partial<VaultKey>, policy: Partial<KeyPolicy> = {}): Failure =>
    judgeKey({ ...KEY, ...change }, { ...POLICY, ...policy }).denials[0]!;

  it.each([
    [{ keyType: 'RSA-HSM' }, { minRsaBits: 3072 }, 'key-too-small', '--kty RSA-HSM --size 4096'],
    [{ keyType: 'RSA' }, { minRsaBits: 3072 }, 'key-too-small', '--kty RSA --size 4096'],
    [{ keyType: 'EC-HSM', keyOps: ['sign'] }, {}, 'key-type-unsupported', '--kty RSA-HSM --size 4096'],
    [{ keyType: 'oct-HSM', keyOps: ['wrapKey'] }, {}, 'key-type-unsupported', '--kty RSA-HSM --size 4096'],
    [{ keyType: 'EC', keyOps: ['sign'] }, {}, 'key-type-unsupported', '--kty RSA --size 4096'],
  ] as const)('%j keeps it in the HSM if it is in one', (change, policy, code, command) => {
    const found = first(change, policy);
    expect([found.code, found.remedy.azureCli]).toEqual([code, expect.stringContaining(command)]);
  });

  it.each(['RSA-HSM', 'RSA'])(
    'of type %s that is a key exchange key for imports is to name the imported key',
    (keyType) => {
      const found = first({ keyType, keyOps: ['import'] });
      expect(found).toMatchObject({ code: 'key-operation-not-permitted', owner: 'azure-admin' });
      expect(found.remedy.text).toBe(
        'This is a key exchange key for imports; enter the name of the key that you imported with it.',
      );
      expect(found.remedy.azureCli).toBeUndefined();
    },
  );
});

describe('a key', () => {
  it.each([
    ['of type RSA', {}],
    ['of type RSA-HSM', { keyType: 'RSA-HSM' }],
    ['with unwrapKey alone, since wrapping is done here', { keyOps: ['unwrapKey'] }],
    ['valid from this instant', { notBefore: NOW }],
    ['valid for another 30 days and a moment', { expires: new Date(NOW.getTime() + 30 * 86_400_000 + 1) }],
  ])('%s is fit', (_, change) => {
    expect(judged(change)).toEqual({ denials: [], warnings: [] });
  });

  it.each([
    ['that is disabled', { enabled: false }, ['key-disabled'], ['key-disabled']],
    [
      'of type EC',
      { keyType: 'EC', keyOps: ['sign'], sizeBits: 256 },
      ['key-type-unsupported'],
      ['key-type-unsupported'],
    ],
    ['that may not unwrap', { keyOps: ['wrapKey'] }, ['key-operation-not-permitted'], ['key-operation-not-permitted']],
    ['of 1024 bits', { sizeBits: 1024 }, ['key-too-small'], []],
    ['that expires now', { expires: NOW }, ['key-expired'], []],
    ['that is valid from a second on', { notBefore: new Date(NOW.getTime() + 1000) }, ['key-not-yet-valid'], []],
  ])('%s is refused for a test, and revoked if in force only when it cannot unwrap', (_, change, test, inForce) => {
    expect(judged(change)).toEqual({ denials: test, warnings: [] });
    const held = judged(change, { purpose: 'in-force' });
    expect(held.denials).toEqual(inForce);
    expect([...held.denials, ...held.warnings]).toEqual(test);
  });

  it.each([
    ['Purgeable', 'test', 'warn', [], ['key-purgeable']],
    ['CustomizedRecoverable+Purgeable', 'test', 'warn', [], ['key-purgeable']],
    ['Recoverable+Purgeable', 'test', 'refuse', ['key-purgeable'], []],
    ['Recoverable+Purgeable', 'in-force', 'refuse', [], ['key-purgeable']],
    ['Recoverable+ProtectedSubscription', 'test', 'refuse', [], []],
  ] as const)(
    'with recovery level %s, for %s, policy %s: denied %j, warned %j',
    (recoveryLevel, purpose, purgeable, denials, warnings) => {
      expect(judged({ recoveryLevel }, { purpose, purgeable })).toEqual({ denials, warnings });
    },
  );

  it('is told everything that is wrong with it at once', () => {
    const change = { enabled: false, keyOps: [], sizeBits: 1024, expires: NOW, recoveryLevel: 'Purgeable' };
    expect(judged(change)).toEqual({
      denials: ['key-disabled', 'key-operation-not-permitted', 'key-too-small', 'key-expired'],
      warnings: ['key-purgeable'],
    });
  });

  it('is named in the remedy', () => {
    const [denial] = judgeKey({ ...KEY, enabled: false }, POLICY).denials;
    expect(denial?.remedy.azureCli).toBe(
      'az keyvault key set-attributes --vault-name contoso --name main-key --enabled true',
    );
  });

  it('is refused below the size that the policy asks for, and told both sizes', () => {
    const [denial] = judgeKey(KEY, { ...POLICY, minRsaBits: 4096 }).denials;
    expect(denial).toMatchObject({
      code: 'key-too-small',
      facts: { detail: 'it has 2048 bits, and 4096 are asked for' },
    });
  });
});

describe('the dates of a version in use', () => {
  const created = new Date('2024-06-20T00:00:00Z');

  it.each([
    [{ expires: new Date('2026-06-20T00:00:00Z') }, ['key-expires-in-a-month']],
    [{ expires: new Date('2026-06-05T00:00:00Z') }, ['key-expires-in-a-week']],
    [{ expires: new Date('2026-06-01T12:00:00Z') }, ['key-expires-in-a-day']],
    [{ expires: new Date('2026-05-31T00:00:00Z') }, ['key-expired']],
    [{ created }, ['key-rotation-due-in-a-month']],
    [{ created: new Date('2024-01-01T00:00:00Z') }, ['key-rotation-overdue']],
    [{ created: new Date('2026-01-01T00:00:00Z') }, []],
  ] as const)('%j warn of what is to come', (change, codes) => {
    expect(judged(change, { purpose: 'in-force', rotationDays: 730 })).toEqual({ denials: [], warnings: codes });
  });

  it('are named in the warning, with the version and the command that makes a new one', () => {
    const { warnings } = judgeKey({ ...KEY, created }, { ...POLICY, purpose: 'in-force', rotationDays: 730 });
    expect(warnings[0]).toMatchObject({
      kind: 'warning',
      owner: 'azure-admin',
      message: expect.stringContaining('2026-06-20') as string,
    });
    expect(warnings[0]?.cause).toContain('version 00000000000000000000000000000001');
    expect(warnings[0]?.cause).toContain('rotation policy cannot be read');
    expect(warnings[0]?.remedy.azureCli).toBe('az keyvault key rotate --vault-name contoso --name main-key');
  });
});
