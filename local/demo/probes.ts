// How soon a host feels what was done to a key: one data key is unwrapped there again and again.
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from './api-client.ts';
import type { Failure } from './answers.ts';
import { unwrapDataKeys } from './data-keys.ts';
import type { Demo } from './demo.ts';
import type { KeyBook } from './key-book.ts';
import { until } from './until.ts';
import { seconds } from './words.ts';

const PROBE_MS = 50;
const TIMEOUT_MS = 30_000;

/** The failure, or undefined if the key came out. */
async function readOne(demo: Demo, book: KeyBook, url: string): Promise<Failure | undefined> {
  const [key] = await unwrapDataKeys({ ...demo.dataKeys, api: new ApiClient([url]) }, book, [0]);
  if (key?.plaintext !== undefined && book.isPlaintextOf(0, key.plaintext)) return undefined;
  return key?.failure ?? { code: key?.outcome ?? 'no-answer', message: 'The key did not come out.' };
}

/** At each host once. */
export const readAtEach = (demo: Demo, book: KeyBook): Promise<readonly (Failure | undefined)[]> =>
  Promise.all(demo.api.urls.map((url) => readOne(demo, book, url)));

interface Stop {
  /** When the last request that got its key was sent. */
  readonly lastSuccessAt: number;
  readonly failure: Failure;
}

/** For each host. Throws where a key still comes out after half a minute. */
export const untilRefusedAtEach = (demo: Demo, book: KeyBook): Promise<readonly Stop[]> =>
  Promise.all(demo.api.urls.map((url) => untilRefused(demo, book, url)));

async function untilRefused(demo: Demo, book: KeyBook, url: string): Promise<Stop> {
  const giveUpAt = Date.now() + TIMEOUT_MS;
  let lastSuccessAt = 0;
  while (Date.now() < giveUpAt) {
    const askedAt = Date.now();
    const failure = await readOne(demo, book, url);
    if (failure) return { lastSuccessAt, failure };
    lastSuccessAt = askedAt;
    await delay(PROBE_MS);
  }
  throw new Error(`unwrapping did not stop within ${seconds(TIMEOUT_MS)}`);
}

/** When it was so, for each host. */
export const untilUnwrappedAtEach = (demo: Demo, book: KeyBook): Promise<readonly number[]> =>
  Promise.all(
    demo.api.urls.map((url) =>
      until('unwrapping goes on', TIMEOUT_MS, async () =>
        (await readOne(demo, book, url)) === undefined ? Date.now() : undefined,
      ),
    ),
  );
