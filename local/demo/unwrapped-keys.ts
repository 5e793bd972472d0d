// Data keys for reading files in order: unwrapped through the API a batch at a time, the next batches asked for before they are
// needed, those left behind overwritten. At most a few thousand keys are in memory.
import { MAX_KEYS_PER_CALL, unwrapDataKeys, type DataKeyAccess } from './data-keys.ts';
import type { KeyOf } from './file-vault.ts';
import type { KeyBook } from './key-book.ts';

const BATCHES_AHEAD = 2;

/** Keys by their index, going up; after the last one the first may follow. Uses the book for names only. */
export function unwrappedKeys(access: DataKeyAccess, book: KeyBook): KeyOf {
  const batches = Math.ceil(book.count / MAX_KEYS_PER_CALL);
  const held = new Map<number, Promise<Buffer[]>>();

  async function fetchBatch(batch: number): Promise<Buffer[]> {
    const from = batch * MAX_KEYS_PER_CALL;
    const length = Math.min(MAX_KEYS_PER_CALL, book.count - from);
    const keys = await unwrapDataKeys(
      access,
      book,
      Array.from({ length }, (_, offset) => from + offset),
    );
    return keys.map(({ outcome, keyId, plaintext, failure }) => {
      if (plaintext !== undefined) return Buffer.from(plaintext, 'base64url');
      throw new Error(`data key ${keyId}: ${outcome}${failure ? ` (${failure.code})` : ''}`);
    });
  }

  function hold(batch: number): Promise<Buffer[]> {
    const known = held.get(batch);
    if (known) return known;
    const fetched = fetchBatch(batch);
    held.set(batch, fetched);
    // Whoever waits for the batch is told; one that nobody waits for yet must not end the process.
    fetched.catch(() => held.delete(batch));
    return fetched;
  }

  return async (index) => {
    const batch = Math.floor(index / MAX_KEYS_PER_CALL);
    const wanted = Array.from(
      { length: Math.min(batches, 1 + BATCHES_AHEAD) },
      (_, ahead) => (batch + ahead) % batches,
    );
    for (const [number, keys] of held) {
      if (wanted.includes(number)) continue;
      held.delete(number);
      keys.then((done) => done.forEach((key) => key.fill(0))).catch(() => undefined);
    }
    const [current] = wanted.map(hold);
    const key = (await current)?.[index % MAX_KEYS_PER_CALL];
    if (!key) throw new Error(`no data key of index ${index}`);
    return key;
  };
}
