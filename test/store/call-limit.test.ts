// How often a company may have something done in a minute.
import { beforeEach, describe, expect, it } from 'vitest';
import { limitRowKey } from '../../shared/store/rows/row-keys.ts';
import { countCall, MAX_CALLS_PER_MINUTE, type LimitedCall } from '../../shared/store/call-limit.ts';
import { MISHAPS, tablesTripping } from '../fakes/tables-but.ts';
import { COMPANY, ConnectionWorld } from '../operations/connections/connection-world.ts';

const MINUTE_MS = 60_000;
const TEST = { companyId: COMPANY, kind: 'test' } as const;

let world: ConnectionWorld;
beforeEach(() => {
  world = new ConnectionWorld();
  world.nowMs -= world.nowMs % MINUTE_MS;
});

const count = (call: LimitedCall = TEST): ReturnType<typeof countCall> => countCall(world.deps, call);

async function fill(call: LimitedCall = TEST): Promise<void> {
  for (let calls = 0; calls < MAX_CALLS_PER_MINUTE; calls += 1) expect(await count(call)).toMatchObject({ ok: true });
}

const limited = (retryAfterSeconds: number): unknown => ({ ok: false, error: { type: 'limited', retryAfterSeconds } });

describe('a minute', () => {
  it('is full after so many calls, and says how long it still lasts', async () => {
    await fill();
    expect(await count()).toEqual(limited(60));
    world.nowMs += 1_001;
    expect(await count()).toEqual(limited(59));
    world.nowMs += MINUTE_MS - 1_002;
    expect(await count()).toEqual(limited(1));
    world.nowMs += 1;
    await fill();
    expect(await count()).toEqual(limited(60));
  });

  it('is one of the clock, whenever in it the calls begin', async () => {
    world.nowMs += MINUTE_MS - 1;
    await fill();
    expect(await count()).toEqual(limited(1));
    world.nowMs += 1;
    await fill();
  });

  it('counts each kind by itself, and sign-ins for each link', async () => {
    await fill();
    await fill({ companyId: COMPANY, kind: 'verify' });
    await fill({ companyId: COMPANY, kind: 'sign-in', linkHash: 'a' });
    expect(await count({ companyId: COMPANY, kind: 'sign-in', linkHash: 'a' })).toEqual(limited(60));
    expect(await count({ companyId: COMPANY, kind: 'sign-in', linkHash: 'b' })).toMatchObject({ ok: true });
  });
});

describe('a call', () => {
  it.each(MISHAPS)('is counted at least once though its write comes out as %s', async (mishap) => {
    const tables = tablesTripping(world.tables, limitRowKey('test'), { mishap });
    expect(await countCall({ ...world.deps, tables }, TEST)).toMatchObject({ ok: true });
    const row = world.store.peek('companies', COMPANY, limitRowKey('test'));
    expect(row?.cells['calls']).toBe(mishap === 'answer-lost' ? 2 : 1);
  });

  it('in the name of no company is refused, and leaves nothing', async () => {
    expect(await count({ companyId: 'nobody', kind: 'test' })).toEqual({
      ok: false,
      error: { type: 'not-found', what: 'company', id: 'nobody' },
    });
    expect([...world.store.dump()].filter(({ partitionKey }) => partitionKey === 'nobody')).toEqual([]);
  });
});
