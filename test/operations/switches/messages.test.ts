import { describe, expect, it } from 'vitest';
import { newShard } from '../../../shared/domain/shard.ts';
import { enqueue, isDone, reprotectMessages } from '../../../shared/operations/switches/messages.ts';
import { FakeClock, FakeLog } from '../../fakes/fake-system.ts';
import { FakeQueue } from '../../fakes/fake-queue.ts';
import { place } from './rig.ts';

const PLACE = place('s1');
const MESSAGES = reprotectMessages({ ...PLACE, keyId: 'x' } as typeof PLACE, { generation: 2, shards: [1, 3] });

describe('work', () => {
  it('goes out as one message for each shard, which names nothing but its place', () => {
    const message = { format: 1, kind: 'reprotect', attempt: 0, ...PLACE, generation: 2 };
    expect(MESSAGES).toEqual([
      { ...message, firstShard: 1, lastShard: 1 },
      { ...message, firstShard: 3, lastShard: 3 },
    ]);
  });

  it('that cannot be sent now is logged by its place and with the reason, and undoes nothing', async () => {
    const log = new FakeLog();
    const queue = new FakeQueue(new FakeClock());
    queue.away = true;
    await enqueue({ queue, log }, { ...PLACE, keyId: 'x' } as typeof PLACE, MESSAGES);
    expect(log.entries).toEqual([
      { level: 'warning', event: 'queue.unavailable', detail: { ...PLACE, reason: 'the queue is away' } },
    ]);
  });

  it('that a bug keeps from being sent is no matter of the timer', async () => {
    const queue = { send: () => Promise.reject(new TypeError('a bug')) };
    await expect(enqueue({ queue, log: new FakeLog() }, PLACE, MESSAGES)).rejects.toThrow('a bug');
  });
});

describe('a shard', () => {
  const turn = { generation: 2, direction: 'back', fromVersion: 3, writeVersion: 2 } as const;
  const value = { ...newShard({ writeVersion: 2, now: '2026-01-01T00:00:00.000Z' }), ...turn };
  const loaded = { value, etag: 'e', writtenBy: 'w' };

  it('is done in its own turn only, at the end of both passes, and if it is there', () => {
    expect(isDone(loaded, turn)).toBe(true);
    expect(isDone({ ...loaded, value: { ...value, phase: 'verify' } }, turn)).toBe(false);
    expect(isDone(undefined, turn)).toBe(false);
  });

  it.each([{ generation: 3 }, { direction: 'forward' }, { fromVersion: 1 }, { writeVersion: 4 }] as const)(
    'that is done in another life of its generation is not done for a turn with %j',
    (other) => {
      expect(isDone(loaded, { ...turn, ...other })).toBe(false);
    },
  );
});
