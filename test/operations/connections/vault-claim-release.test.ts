// Releasing a vault key beside switches that begin, companies that claim it and a store that loses answers: who uses a key keeps it, and
// only the claim that was meant goes.
import { beforeEach, describe, expect, it } from 'vitest';
import { readClaim, type VaultClaim } from '../../../shared/store/rows/claim-rows.ts';
import { CLAIM_ROW_KEY, claimPartition, connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { sweepOutboxes } from '../../../shared/store/deliver.ts';
import { type Tables } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import {
  claimVaultKey,
  getClaim,
  lackOfClaim,
  releaseClaim,
} from '../../../shared/operations/connections/vault-claims.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { MISHAPS, tablesBut, tablesTripping, type Mishap } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONNECTION, ConnectionWorld, HOST, OTHER_HOST, TENANT } from './connection-world.ts';
import { codeOf } from '../sign-ins/walk.ts';

const KEY = { host: HOST, keyName: 'main-key' };
const OURS = { ...KEY, companyId: COMPANY };
const THEIRS = { ...KEY, companyId: 'globex' };
const USED = { usedBy: '["switch|default|s1"]' };
const NOT_FOUND = { ok: false, error: { type: 'not-found', what: 'vault-claim', id: `${HOST}/main-key` } };

let world: ConnectionWorld;
beforeEach(async () => {
  world = new ConnectionWorld();
  await world.put({ tenantId: TENANT });
  expect(codeOf(await claimVaultKey(world.deps, OURS))).toBeUndefined();
  world.nowMs += 60_000;
});

const release = (tables: Tables = world.tables): ReturnType<typeof releaseClaim> =>
  releaseClaim({ ...world.deps, tables }, KEY, ADMIN);
const claim = (): VaultClaim | undefined => {
  const row = world.store.peek('vaultkeys', claimPartition(KEY), CLAIM_ROW_KEY);
  return row && readClaim(row.cells);
};
const recorded = (companyId: string): number =>
  chainOf(world.store, companyId).filter(({ action }) => action === 'vault-claim.release').length;

/** The first write of the claim marks it; the second deletes it, or takes the mark away. */
function trippingAt(nth: number, mishap: Mishap, meanwhile?: () => Promise<unknown>): Tables {
  let writes = 0;
  const trips = tablesTripping(world.tables, CLAIM_ROW_KEY, {
    mishap,
    meanwhile: async () => {
      await meanwhile?.();
    },
  });
  return tablesBut(world.tables, {
    write: (table, partitionKey, rows) => {
      if (table === 'vaultkeys') writes += 1;
      return (writes === nth ? trips : world.tables).write(table, partitionKey, rows);
    },
  });
}

/** What others do just before it is looked at who uses the key, and just after. */
const looking = (
  tables: Tables,
  others: { readonly before?: () => Promise<void>; readonly after?: () => Promise<void> },
): Tables =>
  tablesBut(tables, {
    list: async (query) => {
      await others.before?.();
      const page = await tables.list(query);
      await others.after?.();
      return page;
    },
  });

/** A connection beside the first, with some of its cells changed. */
async function another(companyId: string, connectionId: string, change: Record<string, string>): Promise<void> {
  world.store.tamper('companies', companyId, connectionRowKey(connectionId), { ...(await world.cells()), ...change });
}

describe.each(MISHAPS)('where a write ends as %s', (mishap) => {
  it('a key is claimed', async () => {
    const other = { ...OURS, keyName: 'other' };
    const tables = tablesTripping(world.tables, CLAIM_ROW_KEY, { mishap });
    expect(codeOf(await claimVaultKey({ ...world.deps, tables }, other))).toBeUndefined();
    expect(await lackOfClaim(world.deps, other)).toBeUndefined();
  });

  it.each([1, 2])('a key is released, and that is recorded once (write %i)', async (nth) => {
    expect(await release(trippingAt(nth, mishap))).toEqual({ ok: true, value: undefined });
    expect(claim()).toBeUndefined();
    expect(recorded(COMPANY)).toBe(1);
  });

  it.each([1, 2])('a key in use stays claimed as it was, and nothing is recorded (write %i)', async (nth) => {
    await world.tamper(USED);
    const before = claim();
    expect(codeOf(await release(trippingAt(nth, mishap)))).toBe('vault-claim-in-use');
    expect(claim()).toEqual(before);
    expect(await lackOfClaim(world.deps, OURS)).toBeUndefined();
    expect(recorded(COMPANY)).toBe(0);
  });

  it('nobody is asked whether the key is in use before the mark stands', async () => {
    const seen: unknown[] = [];
    const before = async (): Promise<void> => void seen.push((await lackOfClaim(world.deps, OURS))?.code);
    expect(codeOf(await release(looking(trippingAt(1, mishap), { before })))).toBeUndefined();
    expect(new Set(seen)).toEqual(new Set(['consent-required']));
  });
});

describe('where the process dies', () => {
  /** All goes well up to that write, which is done or not; nothing is heard of it, and nothing comes after. */
  function dyingAt(nth: number, isDone: boolean): { readonly tables: Tables; readonly hasDied: () => boolean } {
    let writes = 0;
    const dead = (): Promise<never> => Promise.reject(new StoreUnavailable('dead'));
    const tables = tablesBut(world.tables, {
      write: async (...call) => {
        writes += 1;
        if (writes > nth) return dead();
        if (writes < nth) return world.tables.write(...call);
        if (isDone) await world.tables.write(...call);
        return dead();
      },
    });
    return { tables, hasDied: () => writes >= nth };
  }

  it.each([true, false])(
    'a key is released with its event, or neither (the last write is done: %s)',
    async (isDone) => {
      let deaths = 0;
      for (let nth = 1; deaths === nth - 1; nth += 1) {
        world = new ConnectionWorld();
        await world.put({ tenantId: TENANT });
        await claimVaultKey(world.deps, OURS);
        const { tables, hasDied } = dyingAt(nth, isDone);
        await release(tables).catch((error: unknown) => {
          if (!(error instanceof StoreUnavailable)) throw error;
        });
        if (hasDied()) deaths += 1;
        // The timer finds what is left of it.
        for (const ms of [60_000, 60_000]) {
          world.nowMs += ms;
          await sweepOutboxes(world.deps);
        }
        expect([nth, recorded(COMPANY)]).toEqual([nth, claim() === undefined ? 1 : 0]);
        // Whoever is not answered asks again.
        await release();
        expect([nth, claim(), recorded(COMPANY)]).toEqual([nth, undefined, 1]);
      }
      expect(deaths).toBeGreaterThan(3);
    },
  );
});

describe('a claim that somebody died over while it was released', () => {
  const leaveReleasing = (): Promise<unknown> =>
    release(tablesBut(world.tables, { list: () => Promise.reject(new StoreUnavailable('dead')) })).catch(
      () => undefined,
    );

  it('is claimed anew by a consent of its company, and by nobody else while a connection names the key', async () => {
    await leaveReleasing();
    expect(claim()).toMatchObject({ companyId: COMPANY, state: 'releasing' });
    expect((await lackOfClaim(world.deps, OURS))?.code).toBe('consent-required');
    expect(codeOf(await claimVaultKey(world.deps, THEIRS))).toBe('vault-key-in-use');
    expect(codeOf(await claimVaultKey(world.deps, OURS))).toBeUndefined();
    expect(claim()).toEqual({ companyId: COMPANY, state: 'held', claimedAt: '2026-06-01T00:01:00.000Z' });
    expect(await lackOfClaim(world.deps, OURS)).toBeUndefined();
  });

  it('is not taken away any more by a release that goes on after that', async () => {
    const after = async (): Promise<void> => {
      await claimVaultKey(world.deps, OURS);
    };
    expect(codeOf(await release(looking(world.tables, { after })))).toBeUndefined();
    expect(claim()).toMatchObject({ companyId: COMPANY, state: 'held' });
    expect(recorded(COMPANY)).toBe(0);
  });
});

describe('a key in use', () => {
  it('is not released from under a switch that begins once the claim is marked', async () => {
    const refused = await release(looking(world.tables, { before: () => world.tamper(USED) }));
    const message = `A keyring or an unfinished switch of the company '${COMPANY}' depends on this key.`;
    expect(refused).toEqual({ ok: false, error: { type: 'state', code: 'vault-claim-in-use', message } });
    expect(claim()).toMatchObject({ companyId: COMPANY, state: 'held' });
  });

  it('is not relied on by a switch that begins once nobody was found to use it', async () => {
    const seen: unknown[] = [];
    const after = async (): Promise<void> => {
      await world.tamper(USED);
      seen.push((await lackOfClaim(world.deps, OURS))?.code);
    };
    expect(codeOf(await release(looking(world.tables, { after })))).toBeUndefined();
    expect(new Set(seen)).toEqual(new Set(['consent-required']));
  });

  it.each([{ keyName: 'Main-Key' }, { seal: 'x', keyName: 'other', usedBy: '[]' }])(
    'is found behind any connection of its company: %j',
    async (change) => {
      await another(COMPANY, 'a', { keyName: 'other' });
      await another(COMPANY, 'z', { ...USED, ...change });
      expect(codeOf(await release())).toBe('vault-claim-in-use');
      expect(claim()?.state).toBe('held');
    },
  );

  it('is none that only others use, or of which only others are used', async () => {
    await another('globex', CONNECTION, USED);
    await another(COMPANY, 'a', { ...USED, keyName: 'other' });
    await another(COMPANY, 'z', { ...USED, host: OTHER_HOST });
    expect(codeOf(await release())).toBeUndefined();
    expect(claim()).toBeUndefined();
  });
});

describe('a key that is released', () => {
  it.each([OURS, THEIRS])('and claimed anew while the answer was lost stays with $companyId', async (next) => {
    const tables = trippingAt(2, 'answer-lost', () => claimVaultKey(world.deps, next));
    expect(codeOf(await release(tables))).toBeUndefined();
    expect(claim()).toEqual({ companyId: next.companyId, state: 'held', claimedAt: '2026-06-01T00:01:00.000Z' });
    expect(recorded(COMPANY)).toBe(1);
    expect(recorded('globex')).toBe(0);
  });

  it.each([1, 2])(
    'by somebody else meanwhile, and claimed by another company, stays with it (write %i)',
    async (nth) => {
      const meanwhile = async (): Promise<void> => {
        expect(codeOf(await release())).toBeUndefined();
        expect(codeOf(await claimVaultKey(world.deps, THEIRS))).toBeUndefined();
      };
      expect(codeOf(await release(trippingAt(nth, 'outrun', meanwhile)))).toBeUndefined();
      expect(claim()).toMatchObject({ companyId: 'globex', state: 'held' });
    },
  );

  it('is not found any more', async () => {
    await release();
    expect(await release()).toEqual(NOT_FOUND);
    expect(await getClaim(world.deps, KEY)).toEqual(NOT_FOUND);
    expect(recorded(COMPANY)).toBe(1);
  });

  it('goes to whoever claims it first, and the other is told of which key', async () => {
    await release();
    const tables = tablesTripping(world.tables, CLAIM_ROW_KEY, {
      mishap: 'outrun',
      meanwhile: async () => {
        const { cells } = world.store.peek('companies', COMPANY, connectionRowKey(CONNECTION))!;
        world.store.tamper('companies', 'globex', connectionRowKey(CONNECTION), cells);
        await claimVaultKey(world.deps, THEIRS);
      },
    });
    expect(await claimVaultKey({ ...world.deps, tables }, OURS)).toMatchObject({
      error: { failure: { code: 'vault-key-in-use', facts: { vaultHost: HOST, keyName: 'main-key' } } },
    });
    expect(claim()?.companyId).toBe('globex');
  });
});
