// Trouble that people had with customer keys in public, as data (public-cases.json, each with its source), and what Keyswitch makes of
// the same input. More of what was seen in the wild: vault-answers-seen, sign-ins-seen, pasted-text.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classifyEntraError } from '../../shared/identity/entra/answers.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import { judgeKey, type KeyPolicy } from '../../shared/providers/azure-key-vault/key-fitness.ts';
import { parseKeyName } from '../../shared/providers/azure-key-vault/input/key-name.ts';
import { classifyNoAnswer } from '../../shared/providers/azure-key-vault/no-answer.ts';
import { excuseRecentGrant } from '../../shared/providers/azure-key-vault/recent-grant.ts';
import type { VaultKey } from '../../shared/domain/provider.ts';
import { microsoftRefusal } from '../../shared/identity/entra/sign-in-answer.ts';
import { googleRefusal } from '../../shared/identity/google/sign-in-answer.ts';
import { refusedAtGoogle } from '../identity/judged.ts';
import { classifyVaultAnswer } from '../../shared/providers/azure-key-vault/answers.ts';
import { afterLook } from '../../shared/domain/health.ts';
import { parseVaultUri } from '../../shared/providers/azure-key-vault/input/vault-uri.ts';

interface Expected {
  readonly code?: string;
  readonly owner?: string;
  readonly suggestedVaultUri?: string;
  readonly suggestedKeyName?: string;
  readonly detailSays?: string;
  readonly remedySays?: string;
  readonly remedyDoesNotSay?: string;
  readonly wordsSay?: string;
  readonly wordsDoNotSay?: string;
  readonly cliHas?: string;
  readonly noCommand?: string;
  readonly notTransient?: true;
  readonly neverPropagating?: true;
  readonly neverRevokes?: true;
}

interface Case {
  readonly id: string;
  readonly kind: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly expected: Expected;
  readonly source: string;
}

const cases = JSON.parse(readFileSync(new URL('public-cases.json', import.meta.url), 'utf8')) as readonly Case[];
const FACTS = {
  vaultHost: 'contoso-keys.vault.azure.net',
  keyName: 'customer-key',
  tenantId: 'c1010000-0000-4000-8000-000000000001',
};
const NOW = new Date('2026-01-01T00:05:00Z');

const TRY: Readonly<Record<string, (input: never) => Failure | undefined>> = {
  'parse-vault-uri': ({ text, policy }: { text: string; policy: { allowedSuffixes: string[] } }) => {
    const parsed = parseVaultUri(text, policy);
    return parsed.ok ? undefined : parsed.error;
  },
  'parse-key-name': ({ text }: { text: string }) => {
    const parsed = parseKeyName(text);
    return parsed.ok ? undefined : parsed.error;
  },
  'classify-entra-token': ({ aadsts, status, inForce }: { aadsts: number; status: number; inForce?: boolean }) =>
    classifyEntraError({ aadsts, status, message: '' }, { ...FACTS, ...(inForce === true ? { inUse: true } : {}) }),
  'microsoft-redirect': ({ error, aadsts }: { error: string; aadsts: number }) =>
    microsoftRefusal({ error, description: `AADSTS${aadsts}: Words.` }, { tenantId: FACTS.tenantId }),
  'google-redirect': ({ error }: { error: string }) => googleRefusal({ error }),
  'google-sign-in': ({ registeredDomain, hd, isAdmin }: { registeredDomain: string; hd: string; isAdmin: boolean }) =>
    refusedAtGoogle({ domain: hd, isSuperAdmin: isAdmin }, registeredDomain),
  'classify-vault-answer': ({ status, body }: { status: number; body: { error: Refused } }) => {
    const { code, message, innererror } = body.error;
    return classifyVaultAnswer(
      { status, code, message, ...(innererror === undefined ? {} : { innerCode: innererror.code }) },
      FACTS,
    );
  },
  'judge-key': ({ key, policy }: { key: Partial<VaultKey>; policy: Partial<KeyPolicy> }) =>
    judgeKey(
      { keyId: `https://${FACTS.vaultHost}/keys/${FACTS.keyName}/0123`, n: '', e: '', ...key } as VaultKey,
      { purgeable: 'warn', now: NOW, ...policy } as KeyPolicy,
    ).denials[0],
  'network-error': (input: Parameters<typeof classifyNoAnswer>[0]) => classifyNoAnswer(input, FACTS),
};

interface Refused {
  readonly code: string;
  readonly message: string;
  readonly innererror?: { readonly code: string };
}

describe('a case from the public', () => {
  it.each(cases)('$id ($kind; $source)', ({ kind, input, expected }) => {
    const found = TRY[kind]!(input as never)!;
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
