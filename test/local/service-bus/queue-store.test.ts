import { beforeEach, describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { MinHeap } from '../../../local/service-bus/min-heap.ts';
import type { NewMessage, QueueSettings } from '../../../local/service-bus/queue-model.ts';
import { MAX_QUEUE_BYTES, QueueStore } from '../../../local/service-bus/queue-store.ts';

const SETTINGS: QueueSettings = {
  name: 'work',
  lockDurationMs: 5_000,
  maxDeliveryCount: 3,
  duplicateDetectionWindowMs: 60_000,
};

let nowMs = 0;
let tokens = 0;

function newStore(changes: Partial<QueueSettings> = {}): QueueStore {
  return new QueueStore(
    { ...SETTINGS, ...changes },
    {
      now: () => nowMs,
      newLockToken: () => {
        tokens += 1;
        return `lock-${tokens}`;
      },
    },
  );
}

function message(messageId: string, changes: Partial<NewMessage> = {}): NewMessage {
  return { messageId, payload: Buffer.from(messageId), ...changes };
}

beforeEach(() => {
  nowMs = 1_000_000;
  tokens = 0;
});

describe('order', () => {
  test('messages are locked in the order of their arrival, and an abandoned one goes back to its place', () => {
    const store = newStore();
    for (const id of ['a', 'b', 'c']) store.enqueue(message(id));
    const first = store.lock();
    expect(first?.message.messageId).toBe('a');
    store.abandon(first!.lockToken);
    expect([store.lock(), store.lock(), store.lock()].map((lock) => lock?.message.messageId)).toEqual(['a', 'b', 'c']);
    expect(store.lock()).toBeUndefined();
  });

  test('peeking shows every state in order of sequence number and changes nothing', () => {
    const store = newStore();
    store.enqueue(message('locked'));
    store.enqueue(message('later', { scheduledForMs: nowMs + 1 }));
    store.enqueue(message('waiting'));
    store.lock();
    const seen = store.peek({ fromSequenceNumber: 1, maxCount: 10 });
    expect(seen.map(({ messageId, state }) => [messageId, state])).toEqual([
      ['locked', 'locked'],
      ['later', 'scheduled'],
      ['waiting', 'active'],
    ]);
    expect(store.peek({ fromSequenceNumber: 2, maxCount: 1 }).map(({ messageId }) => messageId)).toEqual(['later']);
    expect(store.counts()).toEqual({ active: 1, scheduled: 1, locked: 1, deadLetter: 0 });
  });
});

describe('locks', () => {
  test('a lock that runs out gives the message back, counts the delivery and is worth nothing any more', () => {
    const store = newStore();
    store.enqueue(message('a'));
    const lock = store.lock()!;
    expect(store.nextEventAtMs()).toBe(nowMs + 5_000);
    nowMs += 5_000;
    // Not even before anyone noticed that it ran out.
    expect(store.complete(lock.lockToken)).toEqual({ ok: false, reason: 'lock-lost' });
    expect(store.renew(lock.lockToken)).toBeUndefined();
    expect(store.advance().map(({ lockToken, deadLettered }) => [lockToken, deadLettered])).toEqual([
      [lock.lockToken, false],
    ]);
    expect(store.lock()?.message.failedDeliveries).toBe(1);
  });

  test('a renewed lock lasts a full duration from then on, and the others still run out in their turn', () => {
    const store = newStore();
    store.enqueue(message('a'));
    store.enqueue(message('b'));
    const [a, b] = [store.lock()!, store.lock()!];
    nowMs += 4_000;
    expect(store.renew(a.lockToken)).toBe(nowMs + 5_000);
    nowMs += 1_000;
    expect(store.advance().map(({ lockToken }) => lockToken)).toEqual([b.lockToken]);
    expect(store.complete(a.lockToken).ok).toBe(true);
  });

  test('a completed message is gone and its lock cannot be used twice', () => {
    const store = newStore();
    store.enqueue(message('a'));
    const { lockToken } = store.lock()!;
    expect(store.complete(lockToken).ok).toBe(true);
    expect(store.complete(lockToken)).toEqual({ ok: false, reason: 'lock-lost' });
    expect(store.abandon(lockToken)).toEqual({ ok: false, reason: 'lock-lost' });
    expect(store.nextEventAtMs()).toBeUndefined();
    expect(store.peek({ fromSequenceNumber: 0, maxCount: 1 })).toEqual([]);
  });

  test('a clock that goes backwards leaves the order of expiry intact', () => {
    const store = newStore();
    store.enqueue(message('a'));
    store.enqueue(message('b'));
    const first = store.lock()!;
    nowMs -= 3_000;
    expect(store.lock()!.lockedUntilMs).toBeGreaterThanOrEqual(first.lockedUntilMs);
  });
});

describe('dead letters', () => {
  test('the last allowed delivery that fails sends the message there, by abandon or by expiry', () => {
    const store = newStore({ maxDeliveryCount: 2 });
    for (const id of ['abandoned', 'expired']) store.enqueue(message(id));
    for (const isLast of [false, true]) {
      const lock = store.lock()!;
      expect(store.abandon(lock.lockToken)).toMatchObject({ ok: true, isDeadLetter: isLast });
    }
    for (const isLast of [false, true]) {
      store.lock();
      nowMs += 5_000;
      expect(store.advance()).toMatchObject([{ deadLettered: isLast }]);
    }
    expect(store.counts()).toEqual({ active: 0, scheduled: 0, locked: 0, deadLetter: 2 });
    expect(store.deadLetters?.lock()?.message).toMatchObject({
      messageId: 'abandoned',
      sequenceNumber: 1,
      failedDeliveries: 2,
      properties: {
        DeadLetterReason: 'MaxDeliveryCountExceeded',
        DeadLetterErrorDescription: 'Message could not be consumed after 2 delivery attempts.',
      },
    });
  });

  test('stay however often their delivery fails, and cannot be dead-lettered again', () => {
    const store = newStore({ maxDeliveryCount: 1 });
    store.enqueue(message('a'));
    store.deadLetter(store.lock()!.lockToken, { DeadLetterReason: 'poison' });
    const deadLetters = store.deadLetters!;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(deadLetters.abandon(deadLetters.lock()!.lockToken)).toMatchObject({ ok: true, isDeadLetter: false });
    }
    expect(deadLetters.deadLetter(deadLetters.lock()!.lockToken, {})).toEqual({ ok: false, reason: 'not-allowed' });
  });
});

describe('schedules', () => {
  test('a scheduled message joins the end of the queue at its time, under a new sequence number', () => {
    const store = newStore();
    const scheduled = store.enqueue(message('later', { scheduledForMs: nowMs + 100 }));
    store.enqueue(message('now'));
    expect(scheduled).toEqual({ isDuplicate: false, sequenceNumber: 1 });
    expect(store.nextEventAtMs()).toBe(nowMs + 100);
    store.advance();
    expect(store.counts()).toMatchObject({ active: 1, scheduled: 1 });
    nowMs += 100;
    store.advance();
    expect([store.take(), store.take()].map((taken) => [taken?.messageId, taken?.sequenceNumber])).toEqual([
      ['now', 2],
      ['later', 3],
    ]);
  });

  test('can be cancelled until then, and only once', () => {
    const store = newStore();
    store.enqueue(message('a', { scheduledForMs: nowMs + 100 }));
    store.enqueue(message('b', { scheduledForMs: nowMs + 200 }));
    expect([store.cancelScheduled(1), store.cancelScheduled(1), store.cancelScheduled(99)]).toEqual([
      true,
      false,
      false,
    ]);
    nowMs += 200;
    store.advance();
    expect(store.take()?.messageId).toBe('b');
    expect(store.cancelScheduled(3)).toBe(false);
  });

  test('a time in the past means now', () => {
    const store = newStore();
    store.enqueue(message('a', { scheduledForMs: nowMs - 1 }));
    expect(store.counts()).toMatchObject({ active: 1, scheduled: 0 });
  });
});

describe('duplicate detection', () => {
  test('drops a repeat within the window: of a message waiting, scheduled, completed or cancelled', () => {
    const store = newStore();
    store.enqueue(message('waiting'));
    store.enqueue(message('scheduled', { scheduledForMs: nowMs + 1 }));
    const cancelled = store.enqueue(message('cancelled', { scheduledForMs: nowMs + 1 }));
    if (!cancelled.isDuplicate) store.cancelScheduled(cancelled.sequenceNumber);
    nowMs += 59_999;
    for (const id of ['waiting', 'scheduled', 'cancelled']) {
      expect(store.enqueue(message(id)), id).toEqual({ isDuplicate: true });
    }
    expect(store.enqueue(message('new', { scheduledForMs: nowMs + 1 }))).toMatchObject({ isDuplicate: false });
  });

  test('forgets an id when its window is over, which a repeat does not prolong', () => {
    const store = newStore();
    store.enqueue(message('a'));
    nowMs += 30_000;
    store.enqueue(message('a'));
    nowMs += 30_000;
    expect(store.enqueue(message('a'))).toMatchObject({ isDuplicate: false });
  });

  test('a window of zero is none', () => {
    const store = newStore({ duplicateDetectionWindowMs: 0 });
    store.enqueue(message('a'));
    expect(store.enqueue(message('a'))).toMatchObject({ isDuplicate: false });
  });
});

test('a queue is full at its quota, and has room again when messages leave', () => {
  const store = newStore();
  // A length is all that the quota looks at.
  const huge = { messageId: 'huge', payload: { length: MAX_QUEUE_BYTES } as unknown as Uint8Array };
  store.enqueue(huge);
  expect(store.hasRoomFor(1)).toBe(false);
  store.complete(store.lock()!.lockToken);
  expect(store.hasRoomFor(1)).toBe(true);
});

test('purging empties the queue and its dead letters', () => {
  const store = newStore();
  store.enqueue(message('dead'));
  store.deadLetter(store.lock()!.lockToken, {});
  store.enqueue(message('a', { scheduledForMs: nowMs + 1 }));
  store.enqueue(message('b'));
  store.enqueue(message('c'));
  const lock = store.lock()!;
  store.purge();
  expect(store.counts()).toEqual({ active: 0, scheduled: 0, locked: 0, deadLetter: 0 });
  expect(store.complete(lock.lockToken)).toEqual({ ok: false, reason: 'lock-lost' });
  expect(store.nextEventAtMs()).toBeUndefined();
});

test('a heap gives its elements in order, whatever was put in and taken out of the middle', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.array(fc.nat()), (values, removals) => {
      const heap = new MinHeap<number>((a, b) => a < b);
      const left = [...values];
      for (const value of values) heap.push(value);
      for (const removal of removals) {
        const [removed] = left.splice(removal % Math.max(left.length, 1), 1);
        if (removed !== undefined) heap.remove(removed);
      }
      const taken: (number | undefined)[] = [];
      while (heap.size > 0) taken.push(heap.pop());
      expect(taken).toEqual(left.sort((a, b) => a - b));
    }),
  );
});
