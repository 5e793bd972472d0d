import { beforeEach, expect, test } from 'vitest';
import { rememberVerified } from '../../shared/identity/client/verified-tokens.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import type { TokenProblem, TokenVerifier, VerifiedToken } from '../../shared/identity/identity.ts';
import { FakeClock } from '../fakes/fake-system.ts';

const MINUTE_MS = 60_000;

let clock: FakeClock;
let asked: string[];
let answer: Result<VerifiedToken, TokenProblem>;
let verifier: TokenVerifier;

const goodFor = (ms: number): Result<VerifiedToken, TokenProblem> =>
  ok({ subject: 'entra:backend', claims: { exp: (clock.now().getTime() + ms) / 1000 } });

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  answer = goodFor(60 * MINUTE_MS);
  const real: TokenVerifier = {
    verify: (token) => {
      asked.push(token);
      return Promise.resolve(answer);
    },
  };
  verifier = rememberVerified(real, clock);
});

test('a good token is checked once in a minute', async () => {
  expect(await verifier.verify('a')).toEqual(answer);
  clock.advance(MINUTE_MS - 1);
  expect(await verifier.verify('a')).toEqual(answer);
  expect(asked).toEqual(['a']);
  clock.advance(1);
  await verifier.verify('a');
  expect(asked).toEqual(['a', 'a']);
});

test('a token is checked once, however many show it at once', async () => {
  const shown = await Promise.all([verifier.verify('a'), verifier.verify('a')]);
  expect(shown).toEqual([answer, answer]);
  expect(asked).toEqual(['a']);
});

test('a token is not taken for another that differs in one character', async () => {
  await verifier.verify('token-a');
  answer = err({ type: 'invalid', reason: 'its signature does not verify' });
  expect(await verifier.verify('token-b')).toEqual(answer);
  expect(asked).toEqual(['token-a', 'token-b']);
});

test('a token is not remembered beyond its end', async () => {
  answer = goodFor(10_000);
  await verifier.verify('a');
  clock.advance(10_000);
  answer = err({ type: 'invalid', reason: 'it has expired' });
  expect(await verifier.verify('a')).toEqual(answer);
});

test('a token without an end is checked every time', async () => {
  answer = ok({ subject: 'entra:backend', claims: {} });
  await verifier.verify('a');
  await verifier.verify('a');
  expect(asked).toHaveLength(2);
});

test.each([
  ['refused', { type: 'invalid', reason: 'its signature does not verify' }],
  ['not decided', { type: 'unavailable' }],
] as const)('a token that was %s is checked again', async (_name, problem) => {
  answer = err(problem);
  await verifier.verify('a');
  answer = goodFor(MINUTE_MS);
  expect(await verifier.verify('a')).toEqual(answer);
});
