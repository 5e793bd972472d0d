// What is taken away of links, states and counts that are over, and what stays.
import { beforeEach, expect, it } from 'vitest';
import { linkLimitRowKey, linkRowKey, stateRowKey } from '../../../shared/store/rows/row-keys.ts';
import { countCall, MAX_CALLS_PER_MINUTE } from '../../../shared/store/call-limit.ts';
import { tidySignIns } from '../../../shared/operations/sign-ins/tidy.ts';
import { COMPANY, ConnectionWorld } from '../connections/connection-world.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let world: ConnectionWorld;
beforeEach(() => {
  world = new ConnectionWorld();
});

const hash = (index: number): string => String(index).padStart(64, '0');
const tidy = (): Promise<void> => tidySignIns(world.deps, COMPANY);
const inMs = (ms: number): string => new Date(world.nowMs + ms).toISOString();
const put = (rowKey: string, expiresAt: string): void =>
  world.store.tamper('companies', COMPANY, rowKey, { format: 1, expiresAt });
const keys = (prefix: string): string[] =>
  [...world.store.dump()].flatMap(({ rowKey }) => (rowKey.startsWith(prefix) ? [rowKey] : []));

it('a minute that is counted for a link is not set back by the next link that is made', async () => {
  const call = { companyId: COMPANY, kind: 'sign-in', linkHash: hash(1) } as const;
  for (let calls = 0; calls < MAX_CALLS_PER_MINUTE; calls += 1) await countCall(world.deps, call);
  await tidy();
  expect(await countCall(world.deps, call)).toMatchObject({ ok: false, error: { type: 'limited' } });
});

it('the count of a link goes when its minute is a day old', async () => {
  await countCall(world.deps, { companyId: COMPANY, kind: 'sign-in', linkHash: hash(1) });
  world.nowMs += DAY_MS;
  await tidy();
  expect(keys(linkLimitRowKey(''))).toHaveLength(1);
  world.nowMs += 60_001;
  await tidy();
  expect(keys(linkLimitRowKey(''))).toEqual([]);
});

it('states behind more live links than a page holds are tidied too', async () => {
  for (let index = 0; index < 2_500; index += 1) put(linkRowKey(hash(index)), inMs(DAY_MS));
  put(stateRowKey(hash(1)), inMs(-DAY_MS - 1));
  for (let looks = 0; looks < 3; looks += 1) await tidy();
  expect(keys(stateRowKey(''))).toEqual([]);
  expect(keys(linkRowKey(''))).toHaveLength(2_500);
});

it('more that is over than a transaction holds goes in several looks, and then the beginning has its turn again', async () => {
  for (let index = 0; index < 250; index += 1) put(stateRowKey(hash(index)), inMs(-DAY_MS - 1));
  for (let looks = 0; looks < 3; looks += 1) await tidy();
  expect(keys(stateRowKey(''))).toEqual([]);
  put(linkRowKey(hash(1)), inMs(-DAY_MS - 1));
  await tidy();
  expect(keys(linkRowKey(''))).toEqual([]);
});

it('a place to go on from that somebody has changed keeps nothing from being tidied', async () => {
  put(stateRowKey(hash(1)), inMs(-DAY_MS - 1));
  world.store.tamper('companies', COMPANY, 'tidied', { format: 1, after: 'zzz' });
  await tidy();
  expect(keys(stateRowKey(''))).toEqual([]);
});
