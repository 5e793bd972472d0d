import { beforeEach, describe, expect, test } from 'vitest';
import type { ServiceBusQueueFunctionOptions } from '@azure/functions';
import { handleDeadLetterMessage } from '../../../functions/service-bus/dead-letters.ts';
import { bodyOf, deadLetterReasonOf, messageIdOf } from '../../../functions/service-bus/message.ts';
import { registerCheckQueue, registerQueues } from '../../../functions/service-bus/register.ts';
import { handleWorkMessage } from '../../../functions/service-bus/work.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { CONTOSO, place, Rig } from '../../operations/switches/rig.ts';
import { actorNamed } from '../../fakes/actors.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.withDataKeys(3);
});

const stored = async (): Promise<Switch> => (await loadSwitch(rig.deps.tables, place('s1')))!.value;

const poison = (): { reason: unknown; messageId: unknown }[] =>
  [...rig.store.dump()]
    .filter(({ rowKey }) => rowKey.startsWith('poison|'))
    .map(({ cells }) => ({ reason: cells['reason'], messageId: cells['messageId'] }));

describe('a body', () => {
  const message = { format: 1 };
  test.each([
    ['an object', message],
    ['a text', JSON.stringify(message)],
    ['bytes', Buffer.from(JSON.stringify(message))],
  ])('that arrives as %s is the same message', (_what, raw) => {
    expect(bodyOf(raw)).toEqual(message);
  });

  test('that is no JSON stays what it is', () => {
    expect(bodyOf('{')).toBe('{');
  });
});

describe('metadata', () => {
  test('a message id of digits, which the host hands over as a number, is a text again', () => {
    expect(messageIdOf({ messageId: 123 })).toEqual({ messageId: '123' });
    expect(messageIdOf(undefined)).toEqual({});
  });

  test('the reason is found in either place, bounded and in one line', () => {
    expect(deadLetterReasonOf({ deadLetterReason: 'MaxDeliveryCountExceeded' })).toBe('MaxDeliveryCountExceeded');
    expect(deadLetterReasonOf({ applicationProperties: { deadLetterReason: 'a\nb' } })).toBe('a b');
    expect(deadLetterReasonOf({ deadLetterReason: 'x'.repeat(1000) })).toHaveLength(200);
    expect(deadLetterReasonOf({})).toBe('unknown');
  });
});

describe('a work message', () => {
  test.each([
    ['not JSON', '{'],
    ['foreign', { hello: 'world' }],
    ['of an unknown kind', { format: 1, attempt: 0, kind: 'explode', ...place('s1') }],
    ['with a field too many', { format: 1, attempt: 0, kind: 'advance', ...place('s1'), cursor: 'x' }],
  ])('that is %s is recorded once as poison and is over', async (_what, raw) => {
    await handleWorkMessage(rig.deps, raw, { triggerMetadata: { messageId: 'm-1' } });
    await handleWorkMessage(rig.deps, raw, { triggerMetadata: { messageId: 'm-2' } });
    expect(poison()).toHaveLength(1);
    expect(poison()[0]?.messageId).toBe('m-1');
    expect(rig.queue.size).toBe(0);
  });

  test('that is ours is worked on', async () => {
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, actorNamed('test'));
    await handleWorkMessage(rig.deps, JSON.stringify(rig.queue.take()), {});
    expect((await stored()).state).toBe('re-protecting');
  });

  test('whose handling fails for a bug is not completed', async () => {
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, actorNamed('test'));
    const message = rig.queue.take();
    const broken = { ...rig.deps, tables: { ...rig.deps.tables, read: () => Promise.reject(new TypeError('bug')) } };
    await expect(handleWorkMessage(broken, message, {})).rejects.toThrow('bug');
  });
});

describe('a dead letter', () => {
  test('blocks its switch with the reason', async () => {
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, actorNamed('test'));
    const message = rig.queue.take();
    await handleDeadLetterMessage(rig.deps, message, {
      triggerMetadata: { deadLetterReason: 'MaxDeliveryCountExceeded' },
    });
    expect((await stored()).blocked).toMatchObject({
      reason: 'dead-letter',
      detail: 'MaxDeliveryCountExceeded',
    });
    expect(poison()).toHaveLength(1);
  });
});

test('the queues and their dead letters are registered under the connection that the host knows', () => {
  const registered = new Map<string, ServiceBusQueueFunctionOptions>();
  const app = {
    serviceBusQueue: (name: string, options: ServiceBusQueueFunctionOptions) => void registered.set(name, options),
  };
  registerQueues(app, rig.deps, { queueName: 'keyswitch-work' });
  registerCheckQueue(app, rig.freshHost(), { queueName: 'keyswitch-checks' });
  expect([...registered].map(([name, { connection, queueName }]) => [name, connection, queueName])).toEqual([
    ['work', 'KEYSWITCH_SERVICE_BUS', 'keyswitch-work'],
    ['dead-letters', 'KEYSWITCH_SERVICE_BUS', 'keyswitch-work/$DeadLetterQueue'],
    ['checks', 'KEYSWITCH_SERVICE_BUS', 'keyswitch-checks'],
    ['check-dead-letters', 'KEYSWITCH_SERVICE_BUS', 'keyswitch-checks/$DeadLetterQueue'],
  ]);
});
