import { failure } from '../../../shared/failures.ts';
import { expect, test } from 'vitest';
import { switchBody, switchToBody } from '../../../functions/http/resources/switches/bodies.ts';
import type { SwitchView } from '../../../shared/operations/switches/view.ts';

const VIEW: SwitchView = {
  switchId: 'first',
  keyringId: 'default',
  kind: 'switch',
  state: 're-protecting',
  source: { provider: 'managed' },
  target: { provider: 'azure-key-vault', connectionId: 'own' },
  fromVersion: 1,
  toVersion: 2,
  generation: 1,
  paused: false,
  denialAccepted: false,
  seal: { keyVersion: '1', signature: 'c2VhbA' },
  requestedBy: 'subject',
  createdAt: '2026-01-01T00:00:00.000Z',
  quarantine: [],
  unverifiedTenants: [],
  progress: {
    total: 3,
    done: 2,
    checked: 0,
    quarantined: 0,
    lost: 0,
    ratePerSecond: 194.6979574098218,
    secondsLeft: 8.0535,
  },
};

test('rate and time left are told as people read them, the time never too short', () => {
  const body = switchToBody(VIEW, { isVendorAdmin: false });
  expect([body.ratePerSecond, body.secondsLeft]).toEqual([194.7, 9]);
  expect(switchBody.safeParse(body).success).toBe(true);
});

test('before anything moved there is neither', () => {
  const progress = { total: 3, done: 0, checked: 0, quarantined: 0, lost: 0 };
  expect(Object.keys(switchToBody({ ...VIEW, progress }, { isVendorAdmin: false }))).not.toContain('secondsLeft');
});

const TROUBLE = {
  since: '2026-01-01T00:01:00.000Z',
  nextTryAt: '2026-01-01T00:02:00.000Z',
  side: 'target',
  shard: 3,
  failure: failure('vault-error', { vaultHost: 'contoso.vault.azure.net' }, { status: 403, message: 'inner words' }),
} as const;

test('what it waits for is told with owner, remedy, since when and the next try; inner words to the vendor alone', () => {
  const { waitsFor } = switchToBody({ ...VIEW, trouble: TROUBLE }, { isVendorAdmin: false });
  expect(waitsFor).toMatchObject({
    reason: 'provider',
    owner: 'vendor',
    side: 'target',
    since: TROUBLE.since,
    nextTryAt: TROUBLE.nextTryAt,
    failure: { code: 'vault-error', remedy: TROUBLE.failure.remedy },
  });
  expect(waitsFor).not.toHaveProperty('shard');
  expect(JSON.stringify(waitsFor)).not.toContain('inner words');
  const forVendor = switchToBody({ ...VIEW, trouble: TROUBLE }, { isVendorAdmin: true });
  expect(JSON.stringify(forVendor.waitsFor)).toContain('inner words');
  expect(switchBody.safeParse(forVendor).success).toBe(true);
});

test('a switch that is paused, blocked or waits for tenants is not said to go on by itself', () => {
  const told = (change: Partial<SwitchView>): unknown =>
    switchToBody({ ...VIEW, trouble: TROUBLE, ...change }, { isVendorAdmin: false }).waitsFor;
  expect(told({ paused: true })).toBeUndefined();
  expect(told({ blocked: { reason: 'dead-letter', since: TROUBLE.since, detail: 'died' } })).toBeUndefined();
  expect(told({ waitsFor: 'tenants' })).toEqual({ reason: 'tenant-unverified', owner: 'company-admin' });
  const since = '2026-01-01T00:00:00.000Z';
  expect(told({ waitsFor: 'worker', idleSince: since })).toEqual({ reason: 'worker', owner: 'vendor', since });
});
