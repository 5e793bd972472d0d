// Watch, scene 6: what the receiver has taken, beside the record: nothing lost, nothing invented, in order.
import type { EventAnswer } from '../../answers.ts';
import type { Demo } from '../../demo.ts';
import { eventsOf } from '../../events.ts';
import { heardBy, RECEIVER } from '../../receiver.ts';
import { until } from '../../until.ts';
import { count, seconds } from '../../words.ts';

const ASKED_FOR = /^(?:vault\.|key-version\.|switch\.completed$)/;
const TIMEOUT_MS = 90_000;

export async function whatTheReceiverHeard(demo: Demo): Promise<void> {
  const { screen } = demo;
  screen.section('6  What the receiver heard');
  const recorded = await until('the receiver has heard of the last event', TIMEOUT_MS, async () => {
    const events = (await eventsOf(demo, 'contoso')).filter(({ action }) => ASKED_FOR.test(action));
    const last = events.at(-1)?.id;
    return heardBy(demo, RECEIVER).some(({ id }) => id === last) ? events : undefined;
  });
  // Sent twice where an instance died in between: the id is the same.
  const heard = [...new Map(heardBy(demo, RECEIVER).map((event) => [event.id, event])).values()].filter(({ type }) =>
    ASKED_FOR.test(type),
  );
  screen.table(
    heard.map(({ type, time, takenAt, data }) => [
      String(data.sequence ?? ''),
      type,
      data.code ?? '',
      `after ${seconds(takenAt.getTime() - Date.parse(time))}`,
    ]),
    [true],
  );
  demo.check(
    sameEvents(
      recorded,
      heard.map(({ id }) => id),
    ),
    `${count(recorded.length, 'event')} in Contoso’s record, all heard, in their order, each signature verified.`,
    `The record has ${recorded.length} events, and the receiver heard ${heard.length} or in another order`,
  );
  screen.say('Where to look next:', 'strong');
  screen.table([
    ['docs/revocation.md', 'what is felt when, and the worst cases'],
    ['docs/notifications.md', 'webhooks: what is sent, and what is promised'],
    ['docs/key-managers.md', 'what each act on a key shows as'],
    ['docs/operations.md', 'how operators see all companies at once'],
  ]);
}

const sameEvents = (recorded: readonly EventAnswer[], heard: readonly string[]): boolean =>
  recorded.length > 0 && recorded.map(({ id }) => id).join() === heard.join();
