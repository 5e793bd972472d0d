import { describe, expect, it } from 'vitest';
import { failure } from '../../shared/failures.ts';
import { standstillOf } from '../../shared/domain/standstill.ts';
import type { Switch } from '../../shared/domain/switch.ts';

const SINCE = '2026-01-01T01:00:00.000Z';
const CREATED = '2026-01-01T00:00:00.000Z';
const FAILURE = failure('consent-required', {});
const OF_FAILURE = { code: FAILURE.code, owner: FAILURE.owner };

const SWITCH: Switch = {
  switchId: 's1',
  keyringId: 'default',
  kind: 'switch',
  state: 're-protecting',
  source: { provider: 'managed' },
  target: { provider: 'azure-key-vault', connectionId: 'main' },
  fromVersion: 1,
  toVersion: 2,
  generation: 1,
  paused: false,
  denialAccepted: false,
  requestedBy: 'ann',
  createdAt: CREATED,
  turnedAt: SINCE,
  seal: { keyVersion: '1', signature: '' },
};

describe('a switch that', () => {
  it.each<[what: string, also: Partial<Switch>, why: ReturnType<typeof standstillOf>]>([
    ['moves', {}, undefined],
    ['is being prepared', { state: 'preparing' }, undefined],
    ['has ended, whatever it met', { state: 'completed', trouble: { since: SINCE, failure: FAILURE } }, undefined],
    [
      'is refused by a vault',
      { blocked: { reason: 'provider', since: SINCE, side: 'target', failure: FAILURE } },
      { reason: 'blocked-provider', since: SINCE, ...OF_FAILURE },
    ],
    [
      'is blocked by a dead letter',
      { blocked: { reason: 'dead-letter', since: SINCE, detail: 'x' }, paused: true },
      { reason: 'blocked-dead-letter', since: SINCE },
    ],
    ['is paused', { paused: true, trouble: { since: CREATED, failure: FAILURE } }, { reason: 'paused', since: SINCE }],
    [
      'met what may pass',
      { trouble: { since: SINCE, failure: FAILURE } },
      { reason: 'failure', since: SINCE, ...OF_FAILURE },
    ],
    [
      'waits for the company to confirm it',
      { state: 'pending-verification', awaitsConfirmation: true },
      { reason: 'company-admin', since: CREATED },
    ],
    ['waits for tenants', { state: 'pending-verification' }, { reason: 'tenants', since: CREATED }],
  ])('%s says so', (_, also, why) => {
    expect(standstillOf({ ...SWITCH, ...also })).toEqual(why);
  });
});
