// So many data keys a second for each company: what is let in, what is not and until when, and that no other company feels it.
import { beforeEach, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { CallRates } from '../../../functions/http/kernel/call-rates.ts';
import { FakeClock, FakeLog } from '../../fakes/fake-system.ts';
import { Api, backend, registerCompany, vendor } from './api.ts';

const RATE = 200;
/** Ten seconds' worth. */
const BURST = 2_000;

let clock: FakeClock;
let log: FakeLog;
let rates: CallRates;
beforeEach(() => {
  clock = new FakeClock();
  log = new FakeLog();
  rates = new CallRates({ clock, log }, { keysPerSecond: RATE });
});

/** `ok`, or the seconds to wait. */
function take(companyId: string, keys: number): number | 'ok' {
  const taken = rates.take(companyId, keys);
  if (taken.ok) return 'ok';
  if (taken.error.type !== 'over-rate') throw new Error(taken.error.type);
  return taken.error.retryAfterSeconds;
}

describe('a company', () => {
  it('may ask for ten seconds’ worth at once, and then for as much as comes back', () => {
    expect(take('acme', BURST)).toBe('ok');
    expect(take('acme', 1)).toBeCloseTo(1 / RATE);
    expect(take('acme', 1_000)).toBeCloseTo(5);
    clock.advance(4_999);
    expect(take('acme', 1_000)).toBeCloseTo(0.001);
    clock.advance(1);
    expect(take('acme', 1_000)).toBe('ok');
  });

  it('may ask for a batch of 1,000 however low its rate is', () => {
    rates = new CallRates({ clock, log }, { keysPerSecond: 1 });
    expect(take('acme', 1_000)).toBe('ok');
    expect(take('acme', 1)).toBeCloseTo(1);
    clock.advance(999_000);
    expect(take('acme', 1_000)).toBeCloseTo(1);
  });

  it('uses up nothing by what is refused', () => {
    expect(take('acme', BURST)).toBe('ok');
    for (let call = 0; call < 100; call += 1) expect(take('acme', 1_000)).toBeCloseTo(5);
    clock.advance(5_000);
    expect(take('acme', 1_000)).toBe('ok');
  });

  it('uses up nothing of another', () => {
    expect(take('acme', BURST)).toBe('ok');
    expect(take('globex', BURST)).toBe('ok');
  });

  it('is not kept out by a clock that was set back', () => {
    clock.advance(86_400_000);
    expect(take('acme', BURST)).toBe('ok');
    clock.advance(-86_400_000);
    expect(take('acme', BURST)).toBe('ok');
  });

  it('is not limited where no rate is set', () => {
    rates = new CallRates({ clock, log }, {});
    for (let call = 0; call < 1_000; call += 1) expect(take('acme', 1_000)).toBe('ok');
  });

  it('never has more than its burst and what has come back, in whatever steps it asks', () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(3_000), keys: fc.integer({ min: 1, max: 1_000 }) }), {
      maxLength: 100,
    });
    fc.assert(
      fc.property(steps, (all) => {
        const own = new FakeClock();
        const limited = new CallRates({ clock: own, log }, { keysPerSecond: RATE });
        let [taken, waitedMs] = [0, 0];
        for (const { waitMs, keys } of all) {
          own.advance(waitMs);
          waitedMs += waitMs;
          const most = BURST + (waitedMs / 1000) * RATE;
          if (limited.take('acme', keys).ok) taken += keys;
          expect(taken).toBeLessThanOrEqual(most + 1e-6);
        }
      }),
    );
  });
});

it('companies that ask for nothing any more are forgotten, and the log is told in sum', () => {
  for (let company = 0; company < 30_000; company += 1) {
    take(`company-${company}`, 1);
    clock.advance(10);
  }
  take('acme', BURST);
  for (let call = 0; call < 1_000; call += 1) take('acme', 1_000);
  expect(log.events().filter((event) => event === 'calls.limited')).toHaveLength(1);
  clock.advance(20_000);
  take('acme', BURST);
  take('acme', BURST);
  const told = log.entries.filter(({ event }) => event === 'calls.limited').map(({ detail }) => detail);
  expect(told).toMatchObject([
    { calls: 1, companyId: 'acme' },
    { calls: 1_000, companyId: 'acme' },
  ]);
});

describe('over the API', () => {
  it('data-key calls beyond the rate are 429 with the time to wait, and everything else goes on', async () => {
    const api = await Api.start({ keysPerSecond: 1 });
    for (const id of ['acme', 'globex']) await registerCompany(api, id);
    const unwrap = (companyId: string, count: number) =>
      api.call('POST', `/companies/${companyId}/keyrings/default/unwrap`, {
        as: backend,
        body: { keyIds: Array.from({ length: count }, (_, index) => `key-${index}`) },
      });
    expect((await unwrap('acme', 998)).status).toBe(200);
    const refused = await unwrap('acme', 10);
    expect([refused.status, refused.body['error']?.['code']]).toEqual([429, 'too-many-requests']);
    expect(refused.headers.get('retry-after')).toBe('8');
    expect((await unwrap('globex', 10)).status).toBe(200);
    expect((await api.call('GET', '/companies/acme/keyrings/default', { as: vendor })).status).toBe(200);
    const list = () => api.call('GET', '/companies/acme/keyrings/default/datakeys?maxpagesize=2', { as: vendor });
    expect([(await list()).status, (await list()).status]).toEqual([200, 429]);
    api.clock.advance(8_000);
    expect((await unwrap('acme', 8)).status).toBe(200);
    await api.close();
  });
});
