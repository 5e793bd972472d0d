// Messages come and go: this looks into the work queue again and again and keeps every message that it saw, dead letters too.
import type { RemoteControl } from '../control/remote-control.ts';
import type { QueueMessages } from '../service-bus/control-routes.ts';

export interface QueueWatch {
  /** Looks once more, ends, and answers all that was seen, each as JSON. */
  stop(): Promise<readonly string[]>;
}

const EVERY_MS = 200;

export function watchQueue(serviceBus: RemoteControl, queue: string): QueueWatch {
  const seen = new Set<string>();
  async function look(): Promise<void> {
    const { messages, deadLetters } = (await serviceBus.call('GET', `/queues/${queue}/messages`)) as QueueMessages;
    for (const { messageId, applicationProperties, body } of [...messages, ...deadLetters]) {
      seen.add(JSON.stringify({ messageId, applicationProperties, body }));
    }
  }
  const timer = setInterval(() => void look().catch(() => undefined), EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await look();
      return [...seen];
    },
  };
}
