// The vendor's product at work: unwraps random data keys again and again and compares every plaintext with the one first handed
// out. What counts as an error is any answer but the right key: another status than 200, an outcome but `unwrapped`, other
// bytes, or no host left to ask. A connection that breaks because its host was killed is no answer; the client goes to the next
// host, as behind any load balancer, and that is counted by itself.
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { unwrapDataKeys, type DataKeyAccess } from './data-keys.ts';
import type { KeyBook } from './key-book.ts';
import { describe } from './words.ts';

export interface ReaderReport {
  readonly calls: number;
  readonly unwraps: number;
  /** How many; the first are described. */
  readonly errors: number;
  readonly descriptions: readonly string[];
  readonly brokenConnections: number;
  readonly slowestMs: number;
  /** Unwraps by the company-key version that the data key was under. */
  readonly versions: ReadonlyMap<number, number>;
}

export interface Reader {
  readonly report: ReaderReport;
  /** Resolves when its last call is answered. */
  stop(): Promise<ReaderReport>;
}

/** Unless told. */
const KEYS_PER_CALL = 25;
const MAX_DESCRIPTIONS = 5;

interface ReaderOptions {
  readonly keysPerCall?: number;
  /** Between two calls. */
  readonly pauseMs?: number;
}

export function startReader(
  access: DataKeyAccess,
  book: KeyBook,
  { keysPerCall = KEYS_PER_CALL, pauseMs }: ReaderOptions = {},
): Reader {
  const stopping = new AbortController();
  let calls = 0;
  let unwraps = 0;
  let errors = 0;
  let slowestMs = 0;
  const descriptions: string[] = [];
  const versions = new Map<number, number>();
  const brokenBefore = access.api.brokenConnections;

  const wrong = (description: string): void => {
    errors += 1;
    if (descriptions.length < MAX_DESCRIPTIONS) descriptions.push(description);
  };

  async function readSome(): Promise<void> {
    const indexes = Array.from({ length: keysPerCall }, () => randomInt(book.count));
    const begun = Date.now();
    const keys = await unwrapDataKeys(access, book, indexes);
    slowestMs = Math.max(slowestMs, Date.now() - begun);
    calls += 1;
    for (const [position, index] of indexes.entries()) {
      const key = keys[position];
      if (key?.plaintext === undefined) {
        wrong(`data key ${book.keyId(index)}: ${key?.failure?.code ?? key?.outcome ?? 'no answer'}`);
      } else if (!book.isPlaintextOf(index, key.plaintext)) wrong(`data key ${book.keyId(index)}: other bytes`);
      else {
        unwraps += 1;
        const version = key.companyKeyVersion ?? 0;
        versions.set(version, (versions.get(version) ?? 0) + 1);
      }
    }
  }

  const ended = (async () => {
    while (!stopping.signal.aborted) {
      await readSome().catch((error: unknown) => wrong(describe(error)));
      if (pauseMs !== undefined) await delay(pauseMs);
    }
  })();

  const report = (): ReaderReport => ({
    calls,
    unwraps,
    errors,
    descriptions,
    slowestMs,
    versions,
    brokenConnections: access.api.brokenConnections - brokenBefore,
  });
  return {
    get report() {
      return report();
    },
    stop: async () => {
      stopping.abort();
      await ended;
      return report();
    },
  };
}
