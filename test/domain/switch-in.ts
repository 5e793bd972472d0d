// A switch of a keyring from the vendor's key to a customer's, in any state: for tests of what is decided of one.
import type { Switch, SwitchState } from '../../shared/domain/switch.ts';

export const NOW = '2026-01-01T00:00:00.000Z';
export const GENERATION = 3;
export const BLOCKED = { reason: 'dead-letter', since: NOW, detail: 'killed its worker' } as const;

export const switchIn = (state: SwitchState, change: Partial<Switch> = {}): Switch => ({
  switchId: 's1',
  keyringId: 'main',
  kind: 'switch',
  state,
  source: { provider: 'managed' },
  target: { provider: 'azure-key-vault', connectionId: 'contoso' },
  fromVersion: 1,
  toVersion: 2,
  generation: GENERATION,
  paused: false,
  denialAccepted: false,
  requestedBy: 'admin',
  createdAt: NOW,
  seal: { keyVersion: 'v', signature: '' },
  ...change,
});
