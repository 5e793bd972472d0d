import { describe, expect, it } from 'vitest';
import {
  countsMoved,
  fits,
  standingOf,
  STANDINGS,
  sumOfCounts,
  wordsOf,
  type StandingFacts,
} from '../../shared/domain/company-standing.ts';
import type { VaultHealth } from '../../shared/domain/health.ts';
import type { Keyring } from '../../shared/domain/keyring.ts';
import type { Switch } from '../../shared/domain/switch.ts';

const AT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-02T00:00:00.000Z';
const VENDORS = { provider: { provider: 'managed' } } as unknown as Keyring;
const OWN = { provider: { provider: 'azure-key-vault', connectionId: 'main' } } as unknown as Keyring;
const health = (state: VaultHealth['state'], also: Partial<VaultHealth> = {}): VaultHealth => ({
  state,
  since: LATER,
  checkedAt: LATER,
  sightings: 0,
  warnings: [],
  keyVersions: [],
  ...also,
});
const sw = (also: Partial<Switch>): Switch => ({ state: 're-protecting', createdAt: AT, ...also }) as unknown as Switch;

const FACTS: StandingFacts = {
  company: { companyId: 'acme', displayName: 'Acme', defaultKeyring: 'default', state: 'active', createdAt: AT },
  keyrings: [VENDORS],
  switches: [],
  health: [],
};

describe('a company stands as the worst that is true of it:', () => {
  it.each<[state: string, also: Partial<StandingFacts>, why: object]>([
    ['vendor-key', {}, {}],
    ['healthy', { keyrings: [VENDORS, OWN] }, {}],
    ['healthy', { keyrings: [OWN], health: [health('healthy')] }, {}],
    [
      'warning',
      { keyrings: [OWN], health: [health('warning', { warnings: ['throttled'] })] },
      { since: LATER, code: 'throttled' },
    ],
    ['switching', { switches: [sw({})] }, { since: AT }],
    ['waiting', { switches: [sw({ paused: true, turnedAt: LATER })] }, { since: LATER }],
    [
      'blocked',
      { switches: [sw({}), sw({ blocked: { reason: 'dead-letter', since: LATER, detail: '' } })] },
      { since: LATER },
    ],
    [
      'revoked',
      {
        keyrings: [OWN],
        switches: [sw({ blocked: { reason: 'dead-letter', since: AT, detail: '' } })],
        health: [
          health('unreachable'),
          health('revoked', { code: 'key-disabled' as never, owner: 'azure-admin' as never }),
        ],
      },
      { since: LATER, code: 'key-disabled', owner: 'azure-admin' },
    ],
    ['closing', { company: { ...FACTS.company, state: 'closing' }, health: [health('revoked')] }, {}],
  ])('%s', (state, also, why) => {
    expect(standingOf({ ...FACTS, ...also })).toEqual({ companyId: 'acme', displayName: 'Acme', state, ...why });
  });
});

describe('a company', () => {
  const contoso = {
    companyId: 'contoso-emea',
    displayName: 'Contoso Steel & Söhne 😀 GmbH',
    state: 'healthy',
  } as const;

  it('is found by its id, and by words of id and name', () => {
    expect(wordsOf(contoso)).toEqual(['contoso', 'contoso-emea', 'emea', 'gmbh', 'steel', 'söhne']);
  });

  it('of a name that never ends has few words, and short ones', () => {
    const words = wordsOf({ companyId: 'acme', displayName: `${'a'.repeat(1_000)} ${'b c '.repeat(500)}` });
    expect([words.length <= 12, words.every((word) => word.length <= 40)]).toEqual([true, true]);
  });

  it.each([
    [{ q: 'CONT' }, true],
    [{ q: 'contoso-em' }, true],
    [{ q: 'steel söh' }, true],
    [{ q: 'steel globex' }, false],
    [{ q: 'oso' }, false],
    [{ q: 'emea', state: 'healthy' as const }, true],
    [{ q: 'emea', state: 'revoked' as const }, false],
    [{ owner: 'azure-admin' }, false],
    [{ code: 'key-disabled' }, false],
    [{}, true],
  ])('is found by %o: %s', (filter, found) => {
    expect(fits(contoso, filter)).toBe(found);
  });
});

describe('counts of companies', () => {
  it.each([
    [{}, undefined, 'healthy', { healthy: 1 }],
    [{ healthy: 2 }, 'healthy', 'revoked', { healthy: 1, revoked: 1 }],
    [{ healthy: 1 }, 'healthy', undefined, {}],
    [{ healthy: 1 }, 'healthy', 'healthy', { healthy: 1 }],
    [{ healthy: 1 }, 'revoked', 'healthy', { healthy: 2 }],
  ] as const)('%o, moved from %s to %s, are %o', (counts, from, to, moved) => {
    expect(countsMoved(counts, from, to)).toEqual(moved);
  });

  it('are added up over all shares, every state named', () => {
    const sum = sumOfCounts([{ healthy: 2 }, { healthy: 1, blocked: 4 }, {}]);
    expect(sum).toMatchObject({ healthy: 3, blocked: 4, revoked: 0 });
    expect(Object.keys(sum)).toEqual([...STANDINGS]);
  });
});
