import { describe, expect, it } from 'vitest';
import { failure } from '../../shared/failures.ts';
import type { FailureCode, FailureFacts } from '../../shared/domain/failure.ts';
import { classifyVaultAnswer } from '../../shared/providers/azure-key-vault/answers.ts';
import { afterLook, isNews, type Look, type VaultHealth } from '../../shared/domain/health.ts';

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

  it('remembers when it was good last, and how often in a row it failed by the same code', () => {
    const looks = [GOOD, failed('throttled'), failed('throttled'), failed('vault-unreachable')];
    expect(after(...looks.slice(0, 3))).toMatchObject({ repeats: 2, lastGoodAt: at(0).toISOString() });
    expect(after(...looks)).toMatchObject({ repeats: 1, lastGoodAt: at(0).toISOString() });
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

  it('is revoked by a name that is gone only if that is seen twice in a row', () => {
    const gone = failed('vault-not-found', { nameGone: true });
    const deleted = classifyVaultAnswer({ status: 404, code: 'VaultNotFound' }, {});
    const answered: Look = { outcome: 'failed', failure: deleted, warnings: [] };
    expect(after(answered, answered).state).toBe('revoked');
    expect(after(gone, gone).state).toBe('revoked');
    expect(after(gone, failed('throttled'), gone).state).toBe('unreachable');
  });

  it('is news if the state or the reason changed, and for the first time', () => {
    const throttled = after(GOOD, failed('throttled'));
    expect(isNews(undefined, throttled)).toBe(true);
    expect(isNews(throttled, afterLook(throttled, failed('throttled'), at(2)))).toBe(false);
    expect(isNews(throttled, afterLook(throttled, failed('vault-unreachable'), at(2)))).toBe(true);
    expect(isNews(throttled, afterLook(throttled, GOOD, at(2)))).toBe(true);
  });
});
