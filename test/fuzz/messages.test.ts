// Whatever lies in the queue or among its dead letters is recorded and done with: a handler that throws gets it again for ever.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { handleDeadLetterMessage } from '../../functions/service-bus/dead-letters.ts';
import { FakeClock, FakeEntropy, FakeLog, FakeTimers } from '../fakes/fake-system.ts';
import { FakeTables } from '../fakes/fake-tables.ts';
import { hostileJson, hostileText } from './hostile.ts';

const DEPTH = 100_000;
const deps = {
  tables: new FakeTables(),
  clock: new FakeClock(),
  log: new FakeLog(),
  entropy: new FakeEntropy(),
  timers: new FakeTimers(),
};

test('a dead letter of any content is recorded', async () => {
  const text = fc.oneof(
    hostileText,
    hostileJson.map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(text, hostileJson, async (raw, messageId) => {
      deps.log.entries.length = 0;
      await handleDeadLetterMessage(deps, raw, { triggerMetadata: { messageId, deadLetterReason: messageId } });
      expect(deps.log.events()).toEqual(['security.poison-message']);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['arrays', '['.repeat(DEPTH) + ']'.repeat(DEPTH)],
  ['objects', '{"a":'.repeat(DEPTH) + '0' + '}'.repeat(DEPTH)],
])('a dead letter of %s nested a hundred thousand deep is recorded too', async (_, raw) => {
  deps.log.entries.length = 0;
  await handleDeadLetterMessage(deps, raw, { triggerMetadata: { messageId: 'deep' } });
  expect(deps.log.events()).toEqual(['security.poison-message']);
});
