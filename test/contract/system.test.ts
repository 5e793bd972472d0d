// The suite over the process's own clock, timers and entropy, over those of the tests, and over the simulation's.
import { describe } from 'vitest';
import { systemClock, systemEntropy, systemTimers } from '../../shared/adapters/system.ts';
import { FakeClock, FakeEntropy, FakeTimers } from '../fakes/fake-system.ts';
import { SimEntropy } from '../simulation/entropy.ts';
import { SimTimers } from '../simulation/ports.ts';
import { describeSystem } from './system-contract.ts';

describe('the process’s own', () => {
  const system = { clock: systemClock, timers: systemTimers, entropy: [systemEntropy, systemEntropy] } as const;
  describeSystem(() => system);
});

describe('those of the tests', () => {
  const entropy = [new FakeEntropy('one'), new FakeEntropy('two')] as const;
  const system = { clock: new FakeClock(), timers: new FakeTimers(), entropy };
  describeSystem(() => system);
});

describe('those of the simulation', () => {
  const clock = new FakeClock();
  const turn = (_actor: unknown, { dueMs = 0 }: { readonly dueMs?: number }): Promise<void> =>
    new Promise((resolve) =>
      setImmediate(() => {
        clock.advanceTo(dueMs);
        resolve();
      }),
    );
  const timers = new SimTimers({ clock, turn }, { role: 'worker' });
  const entropy = [new SimEntropy('7-host1'), new SimEntropy('7-host2')] as const;
  describeSystem(() => ({ clock, timers, entropy }));
});
