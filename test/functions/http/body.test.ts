// Bodies that come slowly, in tiny pieces or not whole: what one caller sends costs no more than it is long, and is waited for no longer than the limit.
import { afterEach, expect, test, vi } from 'vitest';
import {
  BODY_LIMIT_MS,
  MAX_BODY_BYTES,
  readFormBody,
  readJsonBody,
  type BodySource,
} from '../../../functions/http/kernel/body.ts';

afterEach(() => {
  vi.useRealTimers();
});

const sent = (body: AsyncIterable<unknown>, type = 'application/json'): BodySource => ({
  headers: { get: (name) => (name === 'content-type' ? type : null) },
  body,
});
const FORM = 'application/x-www-form-urlencoded';
const INCOMPLETE = { ok: false, error: { type: 'body-incomplete' } };

/** A byte each second, for ever. */
async function* dripping(): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    yield Buffer.from(' ');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

test.each([
  ['JSON', () => readJsonBody(sent(dripping()))],
  ['a form', () => readFormBody(sent(dripping(), FORM))],
])('%s that comes a byte a second is refused when its time is over', async (_what, read) => {
  vi.useFakeTimers();
  let outcome: unknown;
  void read().then((value) => (outcome = value));
  await vi.advanceTimersByTimeAsync(BODY_LIMIT_MS - 1);
  expect(outcome).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(outcome).toEqual(INCOMPLETE);
});

test('one whose connection breaks off is refused, and is no fault of the app', async () => {
  async function* broken(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from('{');
    await Promise.reject(new Error('aborted'));
  }
  expect(await readJsonBody(sent(broken()))).toEqual(INCOMPLETE);
  expect(await readFormBody(sent(broken(), FORM))).toEqual(INCOMPLETE);
});

test('no piece is kept, only what it says: a piece of one byte may hold 64 KiB of its connection', async () => {
  const value = { displayName: 'x'.repeat(70_000) };
  const same = new Uint8Array(1);
  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    for (const byte of Buffer.from(JSON.stringify(value))) {
      same[0] = byte;
      yield same;
    }
    await Promise.resolve();
  }
  expect(await readJsonBody(sent(pieces()))).toEqual({ ok: true, value });
});

test('one of exactly the limit is taken, in whatever pieces, and one byte more is not', async () => {
  async function* ofBytes(size: number): AsyncGenerator<Uint8Array, void> {
    for (let left = size; left > 0; left -= 65_537) yield Buffer.alloc(Math.min(left, 65_537), ' ');
    await Promise.resolve();
  }
  expect(await readJsonBody(sent(ofBytes(MAX_BODY_BYTES)))).toEqual({ ok: false, error: { type: 'malformed-json' } });
  const tooLarge = { ok: false, error: { type: 'body-too-large', maxBytes: MAX_BODY_BYTES } };
  expect(await readJsonBody(sent(ofBytes(MAX_BODY_BYTES + 1)))).toEqual(tooLarge);
});
