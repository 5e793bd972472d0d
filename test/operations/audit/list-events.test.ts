import { beforeEach, describe, expect, it } from 'vitest';
import { recordRowKey } from '../../../shared/store/rows/row-keys.ts';
import { listEvents } from '../../../shared/operations/audit/list-events.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { errorOf, valueOf } from '../data-keys/world.ts';
import { ChainRig, OTHER, RECORDS } from './chain-rig.ts';
import { COMPANY } from './chain.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

let chain: ChainRig;
beforeEach(async () => {
  chain = await ChainRig.started();
});

async function walk(limit: number, tables: Tables = chain.rig.store): Promise<number[][]> {
  const pages: number[][] = [];
  let continuation: string | undefined;
  do {
    const query = { companyId: COMPANY, limit, ...(continuation === undefined ? {} : { continuation }) };
    const page = valueOf(await listEvents({ tables }, query));
    pages.push(page.records.map(({ sequence }) => sequence));
    continuation = page.continuation;
  } while (continuation !== undefined);
  return pages;
}

describe('the list of events', () => {
  it('ends with its last page, also if that is a full one', async () => {
    expect(await walk(5)).toEqual([
      [1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10],
      [11, 12],
    ]);
    expect(await walk(RECORDS)).toEqual([upTo(RECORDS)]);
  });

  it('has every event, however short or empty the pages of the store are', async () => {
    const { store } = chain.rig;
    const short = tablesBut(store, {
      list: (query) =>
        query.continuation === undefined
          ? Promise.resolve({ rows: [], continuation: query.after ?? '' })
          : store.list({ ...query, limit: 1 }),
    });
    expect((await walk(5, short)).flat()).toEqual(upTo(RECORDS));
  });

  it('leaves out a record that cannot be read, and goes on behind it', async () => {
    for (const sequence of [1, 5, 6]) chain.rig.store.tamper('events', COMPANY, recordRowKey(sequence), {});
    expect(await walk(5)).toEqual([
      [2, 3, 4],
      [7, 8, 9, 10],
      [11, 12],
    ]);
  });

  it.each(['!head', '', '5x', 'x5', '5\n', '12345678901234567'])('does not go on behind %j', async (continuation) => {
    const refused = errorOf(await listEvents(chain.deps, { companyId: COMPANY, limit: 5, continuation }));
    expect(refused).toMatchObject({ type: 'invalid', target: 'continuation' });
  });

  it('is refused by name for a company that never was', async () => {
    const refused = errorOf(await listEvents(chain.deps, { companyId: OTHER, limit: 5 }));
    expect(refused).toEqual({ type: 'not-found', what: 'company', id: OTHER });
  });
});
