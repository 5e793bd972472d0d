import { beforeEach, expect, test } from 'vitest';
import { failure } from '../../shared/failures.ts';
import { err, ok } from '../../shared/domain/result.ts';
import { pipelineCredential, TokenCache, type FetchToken } from '../../shared/identity/client/token-cache.ts';

const SCOPE = 'https://vault.azure.net/.default';
const HOUR_MS = 3_600_000;
let nowMs = 0;
let setBackMs = 0;
let asked: string[] = [];
let answer: FetchToken;

beforeEach(() => {
  nowMs = Date.UTC(2026, 0, 1);
  setBackMs = 0;
  asked = [];
  answer = () => Promise.resolve(ok({ token: `t${asked.length}`, expiresOnTimestamp: nowMs + HOUR_MS }));
});

const cache = (limits?: { readonly maxAgeMs: number }): TokenCache =>
  new TokenCache(
    (scope, claims) => {
      asked.push(claims === undefined ? scope : `${scope} ${claims}`);
      return answer(scope, claims);
    },
    { now: () => new Date(nowMs), steadyMs: () => nowMs + setBackMs },
    limits,
  );
const refused: FetchToken = () => Promise.resolve(err(failure('consent-required')));
const away: FetchToken = () => Promise.resolve(err(failure('entra-unreachable')));
const tokenOf = async (tokens: TokenCache, claims?: string): Promise<string> => {
  const got = await tokens.token(SCOPE, claims);
  return got.ok ? got.value.token : got.error.code;
};

test('one request serves all who ask at once, and all who ask later until the token is nearly over', async () => {
  const tokens = cache();
  expect(await Promise.all([tokenOf(tokens), tokenOf(tokens), tokenOf(tokens)])).toEqual(['t1', 't1', 't1']);
  nowMs += 54 * 60_000;
  expect(await tokenOf(tokens)).toBe('t1');
  nowMs += 60_000;
  expect(await tokenOf(tokens)).toBe('t2');
});

test('scopes are apart', async () => {
  const tokens = cache();
  await tokens.token('a/.default');
  await tokens.token('b/.default');
  await tokens.token('a/.default');
  expect(asked).toEqual(['a/.default', 'b/.default']);
});

test('a token that cannot be renewed serves until it is over, and is not asked for at every call', async () => {
  const tokens = cache();
  await tokenOf(tokens);
  answer = away;
  nowMs += 56 * 60_000;
  expect([await tokenOf(tokens), await tokenOf(tokens)]).toEqual(['t1', 't1']);
  expect(asked).toHaveLength(2);
  nowMs += 31_000;
  expect(await tokenOf(tokens)).toBe('t1');
  expect(asked).toHaveLength(3);
  nowMs += 4 * 60_000;
  expect(await tokenOf(tokens)).toBe('entra-unreachable');
});

test('a token is not used for longer than it lasts because it was asked for anew shortly before', async () => {
  const tokens = cache();
  await tokenOf(tokens);
  answer = away;
  nowMs += HOUR_MS - 6_000;
  expect(await tokenOf(tokens)).toBe('t1');
  nowMs += 7_000;
  expect(await tokenOf(tokens)).toBe('entra-unreachable');
});

test('a token whose successor is refused is used no more', async () => {
  const tokens = cache();
  await tokenOf(tokens);
  answer = refused;
  nowMs += 56 * 60_000;
  expect([await tokenOf(tokens), await tokenOf(tokens)]).toEqual(['consent-required', 'consent-required']);
});

test('a token is used for no longer than its age may be, counted from before it was asked for', async () => {
  const tokens = cache({ maxAgeMs: 300_000 });
  const granting = answer;
  answer = (scope) => {
    // Entra takes its time.
    nowMs += 20_000;
    return granting(scope);
  };
  expect(await tokenOf(tokens)).toBe('t1');
  answer = away;
  nowMs += 129_000;
  expect([await tokenOf(tokens), asked.length]).toEqual(['t1', 1]);
  // Half of its time is over: a new one is asked for, and the old one serves as long as none can be had.
  nowMs += 2_000;
  expect([await tokenOf(tokens), asked.length]).toEqual(['t1', 2]);
  nowMs += 148_000;
  expect(await tokenOf(tokens)).toBe('t1');
  nowMs += 1_000;
  expect(await tokenOf(tokens)).toBe('entra-unreachable');
});

test('a token is used for no longer where the clock is set back', async () => {
  const tokens = cache({ maxAgeMs: 300_000 });
  await tokenOf(tokens);
  answer = away;
  nowMs += 299_000 - HOUR_MS;
  setBackMs = HOUR_MS;
  expect(await tokenOf(tokens)).toBe('t1');
  nowMs += 1_000;
  expect(await tokenOf(tokens)).toBe('entra-unreachable');
});

test('a new token lasts as long as it says, though the clock was set back before it came', async () => {
  const tokens = cache();
  setBackMs = HOUR_MS;
  await tokenOf(tokens);
  nowMs += 54 * 60_000;
  expect(await tokenOf(tokens)).toBe('t1');
});

test('a refusal is not kept', async () => {
  const tokens = cache();
  const granting = answer;
  answer = refused;
  expect(await tokenOf(tokens)).toBe('consent-required');
  answer = granting;
  expect(await tokenOf(tokens)).toBe('t2');
});

test('claims that a service demands get a new token, which serves from then on', async () => {
  const tokens = cache();
  await tokenOf(tokens);
  expect(await tokenOf(tokens, '{"nbf":1}')).toBe('t2');
  expect(await tokenOf(tokens)).toBe('t2');
  expect(asked).toEqual([SCOPE, `${SCOPE} {"nbf":1}`]);
});

test('an SDK’s pipeline gets tokens that it takes for expired, so that it renews none behind our back', async () => {
  const credential = pipelineCredential(cache());
  expect(await credential.getToken([SCOPE], {})).toEqual({ token: 't1', expiresOnTimestamp: 0 });
  answer = refused;
  await expect(pipelineCredential(cache()).getToken(SCOPE)).rejects.toThrow('consent-required');
});
