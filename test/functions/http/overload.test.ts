// More calls than a process answers in time: 503 with Retry-After for the calls that carry load, of the company that sends them, and nothing for
// anybody else.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Tables } from '../../../shared/store/tables.ts';
import { adminOf, Api, backend, registerCompany } from './api.ts';

/** At first. */
const MOST_OF_A_COMPANY = 54;
const SHARDS = 2;
/** Each takes one unit for itself and one for each shard. */
const LOOKS_OF_A_COMPANY = MOST_OF_A_COMPANY / (1 + SHARDS);
const MAX_WAIT_MS = 2_000;

let api: Api;
let held: PromiseWithResolvers<boolean>;
let isHeld: boolean;
let heldReads: number;
beforeEach(async () => {
  held = Promise.withResolvers();
  isHeld = false;
  heldReads = 0;
  const tables = (store: Tables): Tables => ({
    write: store.write.bind(store),
    list: store.list.bind(store),
    read: async (table, partitionKey, rowKey) => {
      if (isHeld && table === 'datakeys' && partitionKey.startsWith('acme|')) {
        heldReads += 1;
        await held.promise;
      }
      return await store.read(table, partitionKey, rowKey);
    },
  });
  api = await Api.start({ tables });
  await registerCompany(api, 'acme');
  await registerCompany(api, 'globex');
});
afterEach(async () => {
  vi.useRealTimers();
  await api.close();
});

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const keyring = (companyId: string): string => `/companies/${companyId}/keyrings/default`;

async function newKey(companyId: string): Promise<string> {
  const made = await api.call('POST', `${keyring(companyId)}/datakeys`, { as: backend, body: { keys: [{}] } });
  const [key] = made.body['keys'] as unknown as { readonly keyId: string }[];
  return key?.keyId ?? '';
}

const unwrap = (companyId: string, keyId: string): ReturnType<Api['call']> =>
  api.call('POST', `${keyring(companyId)}/unwrap`, { as: backend, body: { keyIds: [keyId] } });

it('a burst that is answered in time is answered whole, far more than are worked on at once', async () => {
  const keyId = await newKey('acme');
  // No time passes.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const answers = await Promise.all(Array.from({ length: 4 * MOST_OF_A_COMPANY }, () => unwrap('acme', keyId)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

it('what is not answered in time is told to ask again, and what others ask is answered meanwhile', async () => {
  const [ours, theirs] = [await newKey('acme'), await newKey('globex')];
  isHeld = true;
  const calls = Array.from({ length: MOST_OF_A_COMPANY }, () => unwrap('acme', ours));
  while (heldReads < MOST_OF_A_COMPANY) await soon();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const late = unwrap('acme', ours);
  expect((await unwrap('globex', theirs)).status).toBe(200);
  expect((await api.call('GET', '/health/live')).status).toBe(200);
  expect((await api.call('GET', '/companies/acme', { as: adminOf('acme') })).status).toBe(200);
  let refused: Awaited<typeof late> | undefined;
  void late.then((answer) => (refused = answer));
  while (!refused) {
    await soon();
    api.clock.advance(MAX_WAIT_MS / 10);
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS / 10);
  }
  expect(refused.status).toBe(503);
  expect(refused.headers.get('x-ms-error-code')).toBe('overloaded');
  expect(refused.headers.get('retry-after')).toMatch(/^[1-4]$/);
  const told = ['http.refused', 'calls.turned-away'];
  expect(api.log.events().filter((event) => told.includes(event))).toEqual(['calls.turned-away']);
  held.resolve(true);
  expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([200]));
  expect((await unwrap('acme', ours)).status).toBe(200);
});

it.each(['', '/switches', '/switches/one'])(
  'looks at a keyring or its switches, which read every shard, have places too: %s',
  async (path) => {
    const keyId = await newKey('globex');
    await api.call('POST', `${keyring('acme')}/rekey`, { as: adminOf('acme') });
    const { body } = await api.call('GET', `${keyring('acme')}/switches`, { as: adminOf('acme') });
    const [{ switchId } = { switchId: '' }] = body['value'] as unknown as { readonly switchId: string }[];
    const look = (): ReturnType<Api['call']> =>
      api.call('GET', keyring('acme') + path.replace('one', switchId), { as: adminOf('acme') });
    isHeld = true;
    const looks = Array.from({ length: LOOKS_OF_A_COMPANY }, look);
    while (heldReads < LOOKS_OF_A_COMPANY * SHARDS) await soon();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let late: Awaited<ReturnType<typeof look>> | undefined;
    void look().then((answer) => (late = answer));
    while (!late && heldReads === LOOKS_OF_A_COMPANY * SHARDS) {
      await soon();
      await vi.advanceTimersByTimeAsync(MAX_WAIT_MS / 10);
    }
    expect([late?.status, late?.headers.get('x-ms-error-code')]).toEqual([503, 'overloaded']);
    expect((await unwrap('globex', keyId)).status).toBe(200);
    expect(heldReads).toBe(LOOKS_OF_A_COMPANY * SHARDS);
    held.resolve(true);
    expect(new Set((await Promise.all(looks)).map(({ status }) => status))).toEqual(new Set([200]));
  },
);

it('the Functions host refuses nobody before the app does: it knows no companies, and would refuse health too', () => {
  const host = JSON.parse(readFileSync('host.json', 'utf8')) as { readonly extensions: { readonly http: unknown } };
  const unlimited = { maxOutstandingRequests: -1, maxConcurrentRequests: -1, dynamicThrottlesEnabled: false };
  expect(host.extensions.http).toMatchObject(unlimited);
});
