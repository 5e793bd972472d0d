import { describe, expect, it } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import type { Company, Keyring } from '../../../shared/domain/keyring.ts';
import { MalformedRow, type Cells } from '../../../shared/store/rows/cells.ts';
import { companyCells, readCompany } from '../../../shared/store/rows/company-rows.ts';
import { keyringCells, readKeyring } from '../../../shared/store/rows/keyring-rows.ts';
import { readSwitch, switchCells } from '../../../shared/store/rows/switch-rows.ts';
import type { Switch } from '../../../shared/domain/switch.ts';

const AT = '2026-01-01T00:00:00.000Z';
const company: Company = {
  companyId: 'acme',
  displayName: 'Acme',
  defaultKeyring: 'default',
  state: 'active',
  createdAt: AT,
};
const keyring: Keyring = {
  keyringId: 'default',
  state: 'ready',
  shardCount: 4,
  provider: { provider: 'azure-key-vault', connectionId: 'contoso' },
  activeVersion: 2,
  highVersion: 3,
  generation: 5,
  rollBacks: 1,
  switchId: 's1',
  createdAt: AT,
};
const denied = failure('access-denied-rbac', { vaultHost: 'contoso.vault.azure.net', keyName: 'k' });
const sw: Switch = {
  switchId: 's1',
  keyringId: 'default',
  kind: 'switch',
  state: 'rolling-back',
  source: { provider: 'managed' },
  target: { provider: 'azure-key-vault', connectionId: 'contoso' },
  fromVersion: 1,
  toVersion: 2,
  generation: 5,
  paused: true,
  blocked: { reason: 'provider', since: AT, side: 'target', failure: denied },
  denialAccepted: true,
  seal: { keyVersion: '1', signature: 'c2VhbA' },
  requestedBy: 'admin',
  createdAt: AT,
  turnedAt: AT,
  doneAtTurn: 6,
  lease: { worker: 'w', until: AT },
  endedAt: AT,
  finalCounts: { total: 9, quarantined: 0, lost: 1 },
};

const malformed = (rowKey: string, name: string): MalformedRow =>
  new MalformedRow(`row ${rowKey}: cell ${name} is missing or malformed`);

const COUNTS = ['activeVersion', 'highVersion', 'generation', 'rollBacks'];
const FLAGS = ['paused', 'denialAccepted'];

describe.each([
  ['company', companyCells(company), readCompany, ['companyId', 'displayName', 'defaultKeyring', 'state', 'createdAt']],
  ['keyring|default', keyringCells(keyring), readKeyring, ['state', 'shardCount', ...COUNTS, 'createdAt']],
  [
    'switch|default|s1',
    switchCells(sw),
    readSwitch,
    ['kind', 'state', 'fromVersion', 'toVersion', 'generation', ...FLAGS, 'requestedBy', 'createdAt'],
  ],
] as const)('the row %s', (rowKey, cells, read: (cells: Cells) => unknown, needed) => {
  it.each(needed)('is malformed without its cell %s, and says so', (name) => {
    expect(() => read({ ...cells, [name]: undefined })).toThrow(malformed(rowKey, name));
  });

  it('of a later format is malformed', () => {
    expect(() => read({ ...cells, format: 2 })).toThrow(malformed(rowKey, 'format'));
  });
});

describe('a row that does not even say whose it is', () => {
  it('is named as far as it can be', () => {
    expect(() => readKeyring({ format: 1 })).toThrow(malformed('keyring|', 'state'));
    expect(() => readSwitch({ format: 1 })).toThrow(malformed('switch||', 'kind'));
  });
});

describe('a company', () => {
  it('comes back as it was written', () => {
    expect(readCompany(companyCells(company))).toEqual(company);
  });

  it('is active or closing, and nothing else', () => {
    expect(readCompany({ ...companyCells(company), state: 'closing' }).state).toBe('closing');
    expect(() => readCompany({ ...companyCells(company), state: 'gone' })).toThrow(malformed('company', 'state'));
  });
});

describe('a keyring', () => {
  it('comes back as it was written', () => {
    expect(readKeyring(keyringCells(keyring))).toEqual(keyring);
  });

  it('that is being created, of the vendor’s own key, has no switch', () => {
    const { switchId: _, ...rest } = keyring;
    const created: Keyring = { ...rest, state: 'creating', provider: { provider: 'managed' } };
    expect(keyringCells(created)).toMatchObject({ switchId: '', inForceProvider: 'managed', inForceConnectionId: '' });
    expect(readKeyring(keyringCells(created))).toEqual(created);
  });

  it('of a provider without a name is malformed', () => {
    const wrong = malformed('keyring|default', 'provider');
    expect(() => readKeyring({ ...keyringCells(keyring), inForceProvider: '' })).toThrow(wrong);
  });

  it('of any provider is read as it stands there: which there are, and who has connections, is not the row’s to know', () => {
    const ref = { provider: 'other', connectionId: 'contoso' };
    expect(readKeyring({ ...keyringCells(keyring), inForceProvider: 'other' }).provider).toEqual(ref);
  });
});

describe('a switch', () => {
  it('comes back as it was written', () => {
    expect(readSwitch(switchCells(sw))).toEqual(sw);
  });

  it('is malformed without its source or its target', () => {
    expect(() => readSwitch({ ...switchCells(sw), sourceProvider: '' })).toThrow(
      malformed('switch|default|s1', 'source'),
    );
    expect(() => readSwitch({ ...switchCells(sw), targetProvider: '' })).toThrow(
      malformed('switch|default|s1', 'target'),
    );
  });

  it.each(['pending-verification', 'preparing', 're-protecting', 'completed', 'cancelled'] as const)(
    'that is %s is read so',
    (state) => {
      expect(readSwitch(switchCells({ ...sw, kind: 'rekey', state }))).toMatchObject({ kind: 'rekey', state });
    },
  );

  it('that was just begun waits for nothing, was never turned and has not ended', () => {
    const { blocked: _, turnedAt: _at, doneAtTurn: _done, lease: _lease, endedAt: _end, ...rest } = sw;
    const { finalCounts: _counts, ...begun } = rest;
    expect(switchCells(begun)).toMatchObject({
      blocked: '',
      turnedAt: '',
      doneAtTurn: 0,
      lease: '',
      endedAt: '',
      finalCounts: '',
    });
    expect(readSwitch(switchCells(begun))).toEqual(begun);
  });

  const withCell = (name: string, value: unknown): Switch =>
    readSwitch({ ...switchCells(sw), [name]: JSON.stringify(value) });

  it.each([
    { reason: 'provider', since: AT, side: 'source', failure: denied },
    { reason: 'dead-letter', since: AT, detail: 'MaxDeliveryCountExceeded' },
  ])('may wait for a $reason', (blocked) => {
    expect(withCell('blocked', blocked).blocked).toEqual(blocked);
  });

  it.each([
    ['a text', 'provider'],
    ['of no time', { ...sw.blocked, since: 1 }],
    ['on no side', { ...sw.blocked, side: 'both' }],
    ['for no failure', { ...sw.blocked, failure: { ...denied, kind: 'odd' } }],
    ['for no reason', { ...sw.blocked, reason: 'odd', detail: 'a' }],
    ['for a dead letter without a reason', { reason: 'dead-letter', since: AT, detail: 1 }],
  ])('waits for nothing if what it waits for is malformed (%s)', (_, value) => {
    expect(withCell('blocked', value).blocked).toBeUndefined();
  });

  it.each([
    ['null', null],
    ['without a worker', { until: AT }],
    ['for ever', { worker: 'w', until: 1 }],
  ])('has no claim to its end that is malformed (%s)', (_, value) => {
    expect(withCell('lease', value).lease).toBeUndefined();
  });

  it.each([
    ['null', null],
    ['no total', { quarantined: 0, lost: 1 }],
    ['nothing quarantined', { total: 9, quarantined: '0', lost: 1 }],
    ['nothing lost', { total: 9, quarantined: 0 }],
  ])('has no final counts that are malformed (%s)', (_, value) => {
    expect(withCell('finalCounts', value).finalCounts).toBeUndefined();
  });

  it('takes over from those three cells nothing that does not belong there', () => {
    const more = { more: 1 };
    expect(withCell('lease', { ...sw.lease, ...more }).lease).toEqual(sw.lease);
    expect(withCell('finalCounts', { ...sw.finalCounts, ...more }).finalCounts).toEqual(sw.finalCounts);
    expect(withCell('blocked', { ...sw.blocked, ...more }).blocked).toEqual(sw.blocked);
  });
});
