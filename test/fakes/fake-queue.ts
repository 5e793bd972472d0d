// A queue in memory, of work unless told otherwise. Messages are taken by the test, in the order in which they fall due.
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import type { MessageQueue, QueueWatch } from '../../shared/domain/ports.ts';
import { depthOf, type QueueDepth } from '../../shared/domain/queue-depth.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { FakeClock } from './fake-system.ts';

export class FakeQueue<Message = WorkMessage> implements MessageQueue<Message>, QueueWatch {
  readonly #clock: FakeClock;
  readonly #waiting: { readonly message: Message; readonly dueMs: number }[] = [];
  /** Every call fails while this is true. */
  away = false;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  send(messages: readonly Message[], options: { readonly delayMs?: number } = {}): Promise<void> {
    if (this.away) return Promise.reject(new StoreUnavailable('the queue is away'));
    const dueMs = this.#clock.now().getTime() + (options.delayMs ?? 0);
    for (const message of messages) this.#waiting.push({ message, dueMs });
    return Promise.resolve();
  }

  look(): Promise<QueueDepth> {
    if (this.away) return Promise.reject(new StoreUnavailable('the queue is away'));
    const nowMs = this.#clock.now().getTime();
    const peeked = this.#waiting.map(({ dueMs }) =>
      dueMs > nowMs ? ({ state: 'scheduled' } as const) : ({ state: 'active', enqueuedAt: new Date(dueMs) } as const),
    );
    return Promise.resolve(depthOf(peeked, [], Infinity));
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** The next message; the clock moves on to the time at which it falls due. */
  take(): Message | undefined {
    let next = 0;
    for (const [index, { dueMs }] of this.#waiting.entries()) {
      if (dueMs < (this.#waiting[next]?.dueMs ?? Infinity)) next = index;
    }
    const [taken] = this.#waiting.splice(next, 1);
    if (!taken) return undefined;
    this.#clock.advanceTo(taken.dueMs);
    return taken.message;
  }

  clear(): void {
    this.#waiting.length = 0;
  }
}
