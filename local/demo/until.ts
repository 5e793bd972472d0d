// Asks again and again, for as long as a demo may take for it.
import { setTimeout as delay } from 'node:timers/promises';
import { seconds } from './words.ts';

const EVERY_MS = 50;

/** The first answer. Throws, and names `what`, if there is none in time. */
export async function until<T>(what: string, timeoutMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within ${seconds(timeoutMs)}`);
    await delay(EVERY_MS);
  }
}
