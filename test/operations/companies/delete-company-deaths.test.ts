// A delete of a company dies at each of its calls to the store, alone and beside one that is about to turn back. The timer alone ends it.
import { describe, expect, it } from 'vitest';
import { COMPANY_ROW_KEY } from '../../../shared/store/rows/row-keys.ts';
import { putOnAgenda } from '../../../shared/store/agenda.ts';
import { loadCompanyRow } from '../../../shared/store/control-state.ts';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { COMPANY_PURGE_ID, deleteCompany, goOnDeleting } from '../../../shared/operations/companies/delete-company.ts';
import type { RowWrite, Tables } from '../../../shared/store/tables.ts';
import { sweepPurges } from '../../../shared/operations/companies/sweep-purges.ts';
import { changeOnce } from '../../../shared/store/act.ts';
import { agendaIn } from '../audit/chain.ts';
import { COMPANY, PLACE, valueOf, World } from '../data-keys/world.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { Died, tablesBut, tablesDyingAt } from '../../fakes/tables-but.ts';

const ASKED = { companyId: COMPANY };
const ITEM = { kind: 'purge', companyId: COMPANY, id: COMPANY_PURGE_ID } as const;
const MOMENTS = ['before', 'after'] as const;
const MINUTE_MS = 60_000;

async function withPurgeableKey(): Promise<World> {
  const world = await World.withCompany({ shardCount: 1 });
  await world.generate([{ keyId: 'a' }]);
  await deleteKey(world);
  return world;
}

const stateOf = async (world: World): Promise<string | undefined> =>
  (await loadCompanyRow(world.store, COMPANY))?.value.state;

/** False if it came to its end before that call. */
async function diedAt(world: World, call: number, moment: (typeof MOMENTS)[number]): Promise<boolean> {
  const host = world.newHost({ tables: tablesDyingAt(world.store, call, moment) });
  try {
    await deleteCompany(host, ASKED, ADMIN);
    return false;
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    return true;
  }
}

/** Turns of the timer, a minute and more apart, on a process of its own. */
async function swept(world: World): Promise<void> {
  const host = world.newHost({ tables: world.store });
  for (let turn = 0; turn < 4; turn += 1) {
    world.clock.advance(MINUTE_MS + 1);
    await sweepPurges(host);
  }
}

describe.each(MOMENTS)('a delete that dies %s one of its calls was carried out', (moment) => {
  it('is ended by the timer, at whichever it died', async () => {
    const ends = new Set<string | undefined>();
    for (let call = 1; ; call += 1) {
      const world = await withPurgeableKey();
      const died = await diedAt(world, call, moment);
      const left = await stateOf(world);
      await swept(world);
      expect([call, await stateOf(world)]).toEqual([call, left === 'active' ? 'active' : 'closed']);
      if (left !== 'active') expect(agendaIn(world.store, 'purge')).toEqual([]);
      ends.add(left);
      if (!died) break;
    }
    expect(ends).toEqual(new Set(['active', 'closing', 'closed']));
  });
});

describe('a delete that dies as soon as it has said `closing`', () => {
  const isClosing = (table: string, writes: readonly RowWrite[]): boolean =>
    table === 'companies' && writes[0]?.rowKey === COMPANY_ROW_KEY && writes[0].kind === 'replace';

  it('is ended by the timer, wherever one that turns back stands meanwhile', async () => {
    let reached = 0;
    for (let pause = 1, hasStopped = true; hasStopped; pause += 1) {
      const world = await turningBack();
      await putOnAgenda(world.store, ITEM);
      const { tables, stopped } = stoppingAt(world.store, pause, async () => {
        await deleteKey(world);
        await dies(world, deletingOver(dyingBehind(world.store, isClosing)));
      });
      await goOnDeleting(world.newHost({ tables }), ASKED);
      hasStopped = stopped();
      if ((await stateOf(world)) === 'closing') reached += 1;
      await swept(world);
      expect([pause, await stateOf(world)]).not.toEqual([pause, 'closing']);
    }
    expect(reached).toBeGreaterThan(0);
  });

  it('is ended by the timer, wherever it stands itself while another turns back', async () => {
    let reached = 0;
    for (let pause = 1, hasStopped = true; hasStopped; pause += 1) {
      // It has turned back, but for the agenda.
      const world = await turningBack();
      await goOnDeleting(world.newHost({ tables: dyingBehind(world.store, isClosing) }), ASKED).catch(isDeath);
      await putOnAgenda(world.store, ITEM);
      await deleteKey(world);
      const { tables, stopped } = stoppingAt(world.store, pause, async () => {
        await goOnDeleting(world.newHost({ tables: world.store }), ASKED);
      });
      await dies(world, deletingOver(dyingBehind(tables, isClosing)));
      hasStopped = stopped();
      if ((await stateOf(world)) === 'closing') reached += 1;
      await swept(world);
      expect([pause, await stateOf(world)]).toEqual([pause, 'closed']);
    }
    expect(reached).toBeGreaterThan(0);
  });

  const deletingOver = (tables: Tables) => (world: World) => deleteCompany(world.newHost({ tables }), ASKED, ADMIN);
});

it('a company that is closing and on no agenda, as a store may be laid back, is put there by whoever deletes it again', async () => {
  const world = await turningBack();
  await deleteKey(world);
  await swept(world);
  expect(await stateOf(world)).toBe('closing');
  const closingShards = dyingBehind(world.store, (table) => table === 'datakeys');
  await dies(world, (its) => deleteCompany(its.newHost({ tables: closingShards }), ASKED, ADMIN));
  await swept(world);
  expect(await stateOf(world)).toBe('closed');
});

function isDeath(error: unknown): void {
  if (!(error instanceof Died)) throw error;
}

async function dies(world: World, act: (world: World) => Promise<unknown>): Promise<void> {
  await act(world).catch(isDeath);
}

const deleteKey = async (world: World): Promise<void> => {
  valueOf(await deleteDataKey({ ...world.host, restoreDays: 0 }, { ...PLACE, keyId: 'a' }));
};

/** The store of a process that dies behind the first write that `isLast`. */
const dyingBehind = (store: Tables, isLast: (table: string, writes: readonly RowWrite[]) => boolean): Tables =>
  tablesBut(store, {
    write: async (table, partitionKey, writes) => {
      const written = await store.write(table, partitionKey, writes);
      if (isLast(table, writes) && written.outcome === 'committed') throw new Died();
      return written;
    },
  });

/** A company with a key in use, whose delete, begun by a call that is gone, has to turn back. */
async function turningBack(): Promise<World> {
  const world = await World.withCompany({ shardCount: 1 });
  await world.generate([{ keyId: 'a' }]);
  const company = (await loadCompanyRow(world.store, COMPANY))!;
  const closing = { decided: false, worker: '', until: '' };
  const begun = { ...company.value, state: 'closing', closing } as const;
  await changeOnce({ tables: world.store }, (tx) => tx.replace(company, begun));
  return world;
}

/** The store at which others have their turn once, after so many calls. */
function stoppingAt(
  store: Tables,
  call: number,
  meanwhile: () => Promise<void>,
): { readonly tables: Tables; readonly stopped: () => boolean } {
  let calls = 0;
  const stopping = async <T>(ask: () => Promise<T>): Promise<T> => {
    const answer = await ask();
    calls += 1;
    if (calls === call) await meanwhile();
    return answer;
  };
  return {
    tables: {
      read: (...asked) => stopping(() => store.read(...asked)),
      list: (...asked) => stopping(() => store.list(...asked)),
      write: (...asked) => stopping(() => store.write(...asked)),
    },
    stopped: () => calls >= call,
  };
}
