import { describe, expect, it } from 'vitest';
import { approvalKey, destinationDigest } from '../../shared/domain/approval.ts';
import type { VaultTarget } from '../../shared/domain/provider.ts';
import { sealedBytesOfVerification } from '../../shared/domain/seal.ts';
import { judgeVerification, type Verification } from '../../shared/domain/verification.ts';

const TARGET: VaultTarget = {
  ref: { provider: 'azure-key-vault', connectionId: 'main' },
  host: 'contoso.vault.azure.net',
  keyName: 'Main-Key',
  tenantId: '4a7b0e9c-5d1f-4a63-9c0e-2f8f3b1d6e70',
};

const THUMBPRINT = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';

describe('an approval', () => {
  it('is named by its switch, or by the round and the recipient of its export', () => {
    expect(approvalKey({ for: 'switch', keyringId: 'default', switchId: 's1' })).toBe('switch|default|s1');
    const export3 = { for: 'export', keyringId: 'default', round: 3 } as const;
    const recipient = { type: 'public-key', thumbprint: THUMBPRINT } as const;
    expect(approvalKey({ ...export3, recipient })).toBe(`export|default|3|${THUMBPRINT}`);
    expect(approvalKey({ ...export3, recipient: { type: 'passphrase' } })).toBe('export|default|3|passphrase');
  });
});

describe('the digest of a destination', () => {
  it('is the same for the same vault key, however its name is spelt, and whenever access was granted', () => {
    expect(destinationDigest(TARGET)).toMatch(/^[0-9a-f]{64}$/);
    const same: VaultTarget = { ...TARGET, keyName: 'main-key', grantedAt: '2026-01-01T00:00:00.000Z' };
    expect(destinationDigest(same)).toBe(destinationDigest(TARGET));
  });

  it.each<[string, Partial<VaultTarget>]>([
    ['vault', { host: 'fabrikam.vault.azure.net' }],
    ['key', { keyName: 'other-key' }],
    ['tenant', { tenantId: '00000000-0000-4000-8000-000000000000' }],
    ['connection', { ref: { provider: 'azure-key-vault', connectionId: 'other' } }],
    ['provider', { ref: { provider: 'managed' } }],
  ])('is another for another %s', (_, change) => {
    expect(destinationDigest({ ...TARGET, ...change })).not.toBe(destinationDigest(TARGET));
  });
});

const VERIFICATION: Verification = {
  kind: 'microsoft-365',
  tenantId: TARGET.tenantId,
  approval: 'switch|default|s1',
  destination: 'there',
  verifiedAt: '2026-01-01T00:00:00.000Z',
  adminId: 'an-object-id',
  adminName: 'Ann',
  seal: { keyVersion: '1', signature: 'x' },
};

describe('what is sealed of a verification', () => {
  const sealed = (change: Partial<Verification> = {}, companyId = 'acme'): string =>
    sealedBytesOfVerification(companyId, { ...VERIFICATION, ...change }).toString('hex');

  it('is another for another company', () => {
    expect(sealed({}, 'globex')).not.toBe(sealed());
  });

  it.each<[Partial<Verification>]>([
    [{ kind: 'google-workspace' }],
    [{ tenantId: 'contoso.com' }],
    [{ approval: 'switch|default|s2' }],
    [{ destination: 'elsewhere' }],
    [{ verifiedAt: '2026-01-01T00:00:00.001Z' }],
    [{ adminId: 'another' }],
  ])('is another with %j', (change) => {
    expect(sealed(change)).not.toBe(sealed());
  });

  it('leaves out how the account calls itself', () => {
    expect(sealed({ adminName: 'Bob' })).toBe(sealed());
  });
});

describe('a verification', () => {
  const limitMs = 24 * 3_600_000;
  const judgedAt = (now: string) =>
    judgeVerification(VERIFICATION, { destination: 'there', age: { now: new Date(now), limitMs } });

  it('is good for the destination that was shown, and for no other', () => {
    expect(judgeVerification(VERIFICATION, { destination: 'there' })).toBe('good');
    expect(judgeVerification(VERIFICATION, { destination: 'elsewhere' })).toBe('other-destination');
  });

  it('is good until it is older than its limit, where its age is asked for', () => {
    expect(judgedAt('2026-01-02T00:00:00.000Z')).toBe('good');
    expect(judgedAt('2026-01-02T00:00:00.001Z')).toBe('too-old');
  });

  it('is too old if its time cannot be read', () => {
    const age = { now: new Date('2026-01-01T00:00:00.000Z'), limitMs };
    expect(judgeVerification({ ...VERIFICATION, verifiedAt: '' }, { destination: 'there', age })).toBe('too-old');
  });
});
