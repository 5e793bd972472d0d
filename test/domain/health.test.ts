import { describe, expect, it } from 'vitest';
import { asPropagating } from '../../shared/domain/failure.ts';
import { failure } from '../../shared/failures.ts';
import type { FailureCode, FailureFacts } from '../../shared/domain/failure.ts';
import { classifyVaultAnswer } from '../../shared/providers/azure-key-vault/answers.ts';
import {
  afterLook,
  hasChanged,
  isNews,
  statusOf,
  VAULT_STATES,
  type Look,
  type VaultHealth,
} from '../../shared/domain/health.ts';

const GOOD: Look = { outcome: 'good', warnings: [] };
const failed = (code: FailureCode, facts: FailureFacts = {}): Look => ({
  outcome: 'failed',
  failure: failure(code, facts),
  warnings: [],
});
const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));

/** One look a minute. */
const after = (...looks: readonly Look[]): VaultHealth =>
  looks.reduce<VaultHealth | undefined>((before, look, minute) => afterLook(before, look, at(minute)), undefined)!;

describe('the state of a vault', () => {
  it('is one since it came into it, however often it is seen in it', () => {
    expect(after(GOOD, GOOD)).toMatchObject({ state: 'healthy', since: at(0).toISOString() });
    const down = after(GOOD, failed('throttled'), failed('vault-unreachable'), failed('vault-unreachable'));
    expect(down).toMatchObject({ state: 'unreachable', since: at(1).toISOString(), checkedAt: at(3).toISOString() });
    expect(after(failed('throttled'), GOOD)).toMatchObject({ state: 'healthy', since: at(1).toISOString() });
  });

  it('remembers when it was good last', () => {
    const looks = [GOOD, failed('throttled'), failed('throttled'), failed('vault-unreachable')];
    expect(after(...looks)).toMatchObject({ sightings: 0, lastGoodAt: at(0).toISOString() });
    expect(after(failed('throttled'))).not.toHaveProperty('lastGoodAt');
    expect(after(GOOD)).not.toHaveProperty('code');
  });

  it.each<[FailureCode, VaultHealth['state']]>([
    ['access-denied-rbac', 'revoked'],
    ['key-disabled', 'revoked'],
    ['vault-unreachable', 'unreachable'],
    ['key-purgeable', 'unreachable'],
    ['key-expired', 'unreachable'],
    ['vault-not-found', 'unreachable'],
    ['vault-refused', 'unreachable'],
    ['entra-refused', 'unreachable'],
    ['federation-mismatch', 'unreachable'],
  ])('that was seen once as %s is %s', (code, state) => {
    expect(after(failed(code)).state).toBe(state);
  });

  it('is not revoked by what is the move of the vendor, however often it is seen', () => {
    const ofOurNetwork = failed('vault-firewall', { clientAddress: '10.0.1.4' });
    expect(after(ofOurNetwork, ofOurNetwork, ofOurNetwork)).toMatchObject({ state: 'unreachable', owner: 'vendor' });
    expect(after(failed('vault-firewall', { clientAddress: '20.0.1.4' })).state).toBe('revoked');
  });

  it('is not revoked by a name without an address alone: our own network may hide it', () => {
    const hidden = failed('vault-not-found');
    expect(after(hidden, hidden, hidden).state).toBe('unreachable');
  });

  it('warns by its first warning, and says whose move it is', () => {
    const warnings = [failure('key-expired', {}), failure('key-purgeable', {})];
    expect(after({ outcome: 'good', warnings })).toMatchObject({
      state: 'warning',
      code: 'key-expired',
      owner: 'azure-admin',
      warnings: ['key-expired', 'key-purgeable'],
    });
  });

  it('waits for Azure while a grant may be on its way', () => {
    const denial = failure('access-denied-rbac', {});
    const waiting = asPropagating(denial, at(9).toISOString());
    expect(after(GOOD, { outcome: 'failed', failure: waiting, warnings: [] }).state).toBe('waiting-for-azure');
  });

  it('keeps the versions in use over a look that could not read them', () => {
    const keyVersions = [{ keyId: 'https://v.vault.azure.net/keys/k/1', expiresAt: at(99).toISOString() }];
    expect(after({ ...GOOD, keyVersions }, failed('throttled')).keyVersions).toEqual(keyVersions);
    expect(after({ ...GOOD, keyVersions }, { ...GOOD, keyVersions: [] }).keyVersions).toEqual([]);
  });

  it('is one of two words for whoever wants one', () => {
    expect(VAULT_STATES.map(statusOf)).toEqual(['connected', 'connected', 'error', 'error', 'error']);
  });

  it('is written again only for what is new', () => {
    const first = after(GOOD);
    expect(hasChanged(undefined, first)).toBe(true);
    expect(hasChanged(first, afterLook(first, GOOD, at(9)))).toBe(false);
    const warned = { ...GOOD, warnings: [failure('key-expired', {})] };
    expect(hasChanged(first, afterLook(first, warned, at(9)))).toBe(true);
    expect(hasChanged(first, afterLook(first, { ...GOOD, keyVersions: [{ keyId: 'k' }] }, at(9)))).toBe(true);
  });

  it('is revoked by a name that is gone only if that is seen three times in a row, half a minute apart', () => {
    const gone = failed('vault-not-found', { nameGone: true });
    const deleted = classifyVaultAnswer({ status: 404, code: 'VaultNotFound' }, {});
    const answered: Look = { outcome: 'failed', failure: deleted, warnings: [] };
    expect(after(answered, answered).state).toBe('unreachable');
    expect(after(answered, answered, answered).state).toBe('revoked');
    expect(after(gone, gone, gone, gone)).toMatchObject({ state: 'revoked', sightings: 3 });
    expect(after(gone, gone, failed('throttled'), gone)).toMatchObject({ state: 'unreachable', sightings: 1 });
    const once = after(gone);
    expect(afterLook(once, gone, new Date(at(0).getTime() + 20_000)).sightings).toBe(1);
  });

  it('is news if the state or the reason changed, and for the first time', () => {
    const throttled = after(GOOD, failed('throttled'));
    expect(isNews(undefined, throttled)).toBe(true);
    expect(isNews(throttled, afterLook(throttled, failed('throttled'), at(2)))).toBe(false);
    expect(isNews(throttled, afterLook(throttled, failed('vault-unreachable'), at(2)))).toBe(true);
    expect(isNews(throttled, afterLook(throttled, GOOD, at(2)))).toBe(true);
  });
});
