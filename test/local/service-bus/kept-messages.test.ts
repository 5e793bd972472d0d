// A queue that is kept from run to run, as one run leaves it and the next finds it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openKeptMessages } from '../../../local/service-bus/kept-messages.ts';
import { QueueStore } from '../../../local/service-bus/queue-store.ts';
import { QUEUE } from './broker-fixture.ts';

let directory: string;
let nowMs = 1_000_000;
let close = (): void => undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keyswitch-messages-'));
});

afterEach(() => {
  close();
  close = () => undefined;
  rmSync(directory, { recursive: true });
});

/** The queue after a restart. */
function store(): QueueStore {
  close();
  const kept = openKeptMessages(join(directory, 'messages.sqlite'));
  close = () => kept.close();
  const settings = { ...QUEUE, maxDeliveryCount: 2 };
  return new QueueStore(settings, { now: () => nowMs, newLockToken: () => crypto.randomUUID(), keeper: kept.keeper });
}

const send = (queue: QueueStore, messageId: string, scheduledForMs?: number): void => {
  queue.enqueue({ messageId, payload: Buffer.from(messageId), scheduledForMs });
};
const ids = (queue: QueueStore | undefined): readonly string[] =>
  queue?.peek({ fromSequenceNumber: 0, maxCount: 100 }).map(({ messageId }) => messageId) ?? [];

test('what was sent and not completed is there again, in order, and what was locked is free', () => {
  const before = store();
  for (const id of ['a', 'b', 'c']) send(before, id);
  before.complete(before.lock()!.lockToken);
  before.lock();
  const after = store();
  expect([after.lock()?.message.messageId, after.lock()?.message.messageId, after.lock()]).toEqual([
    'b',
    'c',
    undefined,
  ]);
});

test('counts of deliveries, dead letters with their reason and messages for later are kept', () => {
  const before = store();
  send(before, 'fails');
  send(before, 'dies');
  send(before, 'later', nowMs + 1_000);
  send(before, 'never', nowMs + 1_000);
  before.abandon(before.lock()!.lockToken);
  const [fails, dies] = [before.lock()!, before.lock()!];
  before.deadLetter(dies.lockToken, { DeadLetterReason: 'bad' });
  before.cancelScheduled(4);
  expect(fails.message.failedDeliveries).toBe(1);
  const after = store();
  const dead = after.deadLetters?.peek({ fromSequenceNumber: 0, maxCount: 9 }).map(({ properties }) => properties);
  expect([ids(after), dead]).toEqual([['fails', 'later'], [{ DeadLetterReason: 'bad' }]]);
  after.abandon(after.lock()!.lockToken);
  expect([ids(after.deadLetters), after.lock()]).toEqual([['fails', 'dies'], undefined]);
  nowMs += 1_000;
  after.advance();
  expect(after.lock()?.message.messageId).toBe('later');
});

test('sequence numbers go on, also when no message is left', () => {
  const before = store();
  for (const id of ['a', 'b']) send(before, id);
  before.take();
  before.take();
  expect(store().enqueue({ messageId: 'c', payload: Buffer.from('c') })).toEqual({
    isDuplicate: false,
    sequenceNumber: 3,
  });
});

test('what was purged does not come back', () => {
  const before = store();
  send(before, 'a');
  before.purge();
  expect(ids(store())).toEqual([]);
});
