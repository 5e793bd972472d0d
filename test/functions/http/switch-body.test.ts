import { expect, test } from 'vitest';
import { switchBody, switchToBody } from '../../../functions/http/schemas/switches.ts';
import type { SwitchView } from '../../../shared/operations/switches/switch-view.ts';

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
  requestedBy: 'subject',
  createdAt: '2026-01-01T00:00:00.000Z',
  etag: 'etag',
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
  const body = switchToBody(VIEW, { isPartnerAdmin: false });
  expect([body.ratePerSecond, body.secondsLeft]).toEqual([194.7, 9]);
  expect(switchBody.safeParse(body).success).toBe(true);
});

test('before anything moved there is neither', () => {
  const progress = { total: 3, done: 0, checked: 0, quarantined: 0, lost: 0 };
  expect(Object.keys(switchToBody({ ...VIEW, progress }, { isPartnerAdmin: false }))).not.toContain('secondsLeft');
});
