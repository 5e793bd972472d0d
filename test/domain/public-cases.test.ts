// Trouble that people had with customer keys in public (test/fixtures/public-cases.ts), and what Keyswitch makes of the same input. More of what was seen in the
// wild: vault-answers-seen, sign-ins-seen, pasted-text.
import { describe, expect, it } from 'vitest';
import { afterLook } from '../../shared/domain/health.ts';
import { excuseRecentGrant } from '../../shared/providers/azure-key-vault/recent-grant.ts';
import { failureOf, NOW, PUBLIC_CASES } from '../fixtures/public-cases.ts';

describe('a case from the public', () => {
  it.each(PUBLIC_CASES)('$id ($kind; $source)', (one) => {
    const { expected } = one;
    const found = failureOf(one);
    const { code, owner, suggestedVaultUri, suggestedKeyName } = expected;
    expect({ code: found.code, owner: found.owner, ...found.facts }).toMatchObject(
      Object.fromEntries(
        Object.entries({ code, owner, suggestedVaultUri, suggestedKeyName }).filter(([, value]) => value !== undefined),
      ),
    );
    const { text, azureCli = '', portal = '' } = found.remedy;
    const words = [found.message, found.cause, text, azureCli, portal].join('\n');
    expect(found.facts.detail ?? '').toContain(expected.detailSays ?? '');
    expect(words).toContain(expected.remedySays ?? '');
    expect(words).toContain(expected.wordsSay ?? '');
    expect(azureCli).toContain(expected.cliHas ?? '');
    for (const never of [expected.wordsDoNotSay, expected.remedyDoesNotSay])
      if (never !== undefined) expect(words).not.toContain(never);
    if (expected.noCommand !== undefined) expect(azureCli).not.toContain(expected.noCommand);
    if (expected.notTransient) expect(found.kind).not.toBe('transient');
    if (expected.neverPropagating) {
      const grant = { grantedAt: '2026-01-01T00:04:00Z' };
      expect(excuseRecentGrant(found, { grant, now: NOW, propagationMs: 600_000 }).kind).not.toBe('propagating');
    }
    if (expected.neverRevokes) {
      const look = { outcome: 'failed', failure: found, warnings: [] } as const;
      expect(afterLook(afterLook(undefined, look, NOW), look, NOW).state).toBe('unreachable');
    }
  });
});
