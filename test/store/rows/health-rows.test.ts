import { describe, expect, it } from 'vitest';
import { MalformedRow } from '../../../shared/store/rows/cells.ts';
import { currentHealthRowKey, healthCells, historyRowKey, readHealth } from '../../../shared/store/rows/health-rows.ts';
import { VAULT_STATES, type VaultHealth } from '../../../shared/domain/health.ts';

const AT = '2026-01-01T00:00:00.000Z';
const health: VaultHealth = {
  state: 'revoked',
  since: AT,
  checkedAt: AT,
  sightings: 2,
  warnings: ['key-expired'],
  keyVersions: [{ keyId: 'https://v.vault.azure.net/keys/k/1', createdAt: AT, expiresAt: AT }],
  lastGoodAt: AT,
  code: 'access-denied-rbac',
  owner: 'company-admin',
  message: 'm',
};

describe('the health of a vault', () => {
  it('comes back as it was written', () => {
    expect(readHealth(healthCells(health))).toEqual(health);
  });

  it('of a vault that was never seen healthy says so by an empty text, so that a merge takes the time away', () => {
    const { lastGoodAt: _, ...never } = health;
    expect(healthCells(never)['lastGoodAt']).toBe('');
    expect(readHealth(healthCells(never))).toEqual(never);
  });

  it.each(['state', 'since', 'checkedAt', 'sightings'])('is malformed without its cell %s, and says so', (name) => {
    const wrong = new MalformedRow(`row health: cell ${name} is missing or malformed`);
    expect(() => readHealth({ ...healthCells(health), [name]: undefined })).toThrow(wrong);
  });

  it.each(VAULT_STATES)('may be %s', (state) => {
    expect(readHealth(healthCells({ ...health, state })).state).toBe(state);
  });

  it.each(['azure-admin', 'vendor'] as const)('may be up to the %s', (owner) => {
    expect(readHealth(healthCells({ ...health, owner })).owner).toBe(owner);
  });

  it.each(['{}', '', '["Odd"]', '"key-expired"'])('has no warnings where there are no codes (%s)', (warnings) => {
    expect(readHealth({ ...healthCells(health), warnings }).warnings).toEqual([]);
  });
});

describe('the versions of a key in use', () => {
  it.each([
    ['no list', '{}'],
    ['no object', '["1"]'],
    ['no key id', '[{"createdAt":"2026-01-01T00:00:00.000Z"}]'],
    ['a time that is none', '[{"keyId":"k","expiresAt":"soon"}]'],
  ])('are none where there is %s', (_what, keyVersions) => {
    expect(readHealth({ ...healthCells(health), keyVersions }).keyVersions).toEqual([]);
  });
});

describe('the rows of a connection’s health', () => {
  it('are where they always were', () => {
    expect(currentHealthRowKey('contoso')).toBe('!current|contoso');
    expect(historyRowKey('contoso', health)).toBe('contoso|8232774399999|access-denied-rbac');
    const { code: _, ...good } = health;
    expect(historyRowKey('contoso', { ...good, state: 'healthy' })).toBe('contoso|8232774399999|healthy');
  });

  it('sort newest first, also at times that have fewer digits left', () => {
    const at = (checkedAt: string): string => historyRowKey('contoso', { ...health, checkedAt });
    const times = ['2286-01-01T00:00:00.000Z', '2255-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'];
    expect(times.map(at).toSorted()).toEqual(times.map(at));
  });
});
