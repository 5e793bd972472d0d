import { beforeEach, describe, expect, it } from 'vitest';
import { readHead } from '../../../shared/store/rows/audit-rows.ts';
import { HEAD_ROW_KEY, SIGNED_PREFIX } from '../../../shared/store/rows/row-keys.ts';
import { renewOnAgenda } from '../../../shared/store/agenda.ts';
import { headItem } from '../../../shared/store/deliver.ts';
import { sweepHeads } from '../../../shared/operations/audit/sign-heads.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { MISHAPS, tablesBut, tablesTripping } from '../../fakes/tables-but.ts';
import { ChainRig, headOf } from './chain-rig.ts';
import { agendaIn, COMPANY } from './chain.ts';

const RECORDS = 3;

let chain: ChainRig;
beforeEach(async () => {
  chain = new ChainRig();
  await appendedAndDue(RECORDS);
});

async function appendedAndDue(count: number): Promise<void> {
  await chain.append(count);
  await renewOnAgenda(chain.rig.store, headItem(COMPANY));
}

const sweep = (tables: Tables = chain.rig.store): Promise<number> => sweepHeads({ ...chain.deps, tables });
const signedUpTo = (): number => readHead(chain.rig.store.peek('events', COMPANY, HEAD_ROW_KEY)!.cells).signedSequence;
const isDue = (): boolean => agendaIn(chain.rig.store, 'head').length > 0;
const signedRows = (): string[] =>
  [...chain.rig.store.dump()].map(({ rowKey }) => rowKey).filter((rowKey) => rowKey.startsWith(SIGNED_PREFIX));
const logged = (event: string): unknown[] => chain.rig.log.entries.filter((entry) => entry.event === event);

describe('a head that has moved', () => {
  it('is in the log, with what it takes to check it, before it is in the table', async () => {
    let before: unknown[] = [];
    const tables = tablesBut(chain.rig.store, {
      write: (table, ...rest) => {
        if (table === 'events') before = logged('events.head-signed');
        return chain.rig.store.write(table, ...rest);
      },
    });
    expect(await sweep(tables)).toBe(1);
    expect(before).toEqual([
      {
        level: 'info',
        event: 'events.head-signed',
        detail: {
          companyId: COMPANY,
          ...headOf(chain.record(RECORDS)),
          at: '2026-01-01T00:00:00.000Z',
          keyVersion: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
          signature: expect.stringMatching(/^[\w-]{86}$/) as unknown,
        },
      },
    ]);
    expect(signedUpTo()).toBe(RECORDS);
  });

  it('of a company without a chain is taken off the agenda, and nothing is signed', async () => {
    await sweep();
    await renewOnAgenda(chain.rig.store, headItem('globex'));
    expect(await sweep()).toBe(0);
    expect(isDue()).toBe(false);
    expect(logged('events.head-signed')).toHaveLength(1);
  });

  it('is signed as it is when others append while its signature is made', async () => {
    let hasMoved = false;
    chain.vaults.onCall = async ({ operation }) => {
      if (operation !== 'sign' || hasMoved) return;
      hasMoved = true;
      await appendedAndDue(2);
    };
    expect(await sweep()).toBe(1);
    expect([signedUpTo(), isDue()]).toEqual([RECORDS + 2, false]);
    expect(signedRows()).toHaveLength(1);
    expect(await chain.problems()).toEqual([]);
  });

  it('stays on the agenda when it moves on just as it is taken off', async () => {
    const tables = tablesBut(chain.rig.store, {
      write: async (table, ...rest) => {
        if (table === 'agenda') await appendedAndDue(1);
        return chain.rig.store.write(table, ...rest);
      },
    });
    expect(await sweep(tables)).toBe(1);
    expect([signedUpTo(), isDue()]).toEqual([RECORDS, true]);
    expect(await sweep()).toBe(1);
    expect([signedUpTo(), isDue()]).toEqual([RECORDS + 1, false]);
  });
});

describe.each(MISHAPS)('where the write of a signed head ends as %s', (mishap) => {
  it('it is signed once all the same, and the chain is intact', async () => {
    await sweep(tablesTripping(chain.rig.store, HEAD_ROW_KEY, { mishap }));
    expect([signedUpTo(), isDue()]).toEqual([RECORDS, false]);
    expect(signedRows()).toHaveLength(1);
    expect(await chain.problems()).toEqual([]);
  });

  it('and another host signs it too, it is signed once', async () => {
    const meanwhile = async (): Promise<void> => {
      await sweep();
    };
    expect(await sweep(tablesTripping(chain.rig.store, HEAD_ROW_KEY, { mishap, meanwhile }))).toBe(0);
    expect([signedUpTo(), isDue()]).toEqual([RECORDS, false]);
    expect(signedRows()).toHaveLength(1);
    expect(await chain.problems()).toEqual([]);
  });
});

describe('a head that cannot be signed', () => {
  const notSigned = (reason: string): unknown[] => [
    { level: 'warning', event: 'audit.head-not-signed', detail: { companyId: COMPANY, reason } },
  ];

  it('for the seal key is away is named in the log, and signed when the key is back', async () => {
    const before = JSON.stringify([...chain.rig.store.dump()]);
    const signs = chain.vaults.sign.bind(chain.vaults);
    chain.vaults.sign = () => Promise.resolve({ ok: false, error: { code: 'vault-error' } } as never);
    expect(await sweep()).toBe(0);
    expect(chain.rig.log.entries).toEqual(notSigned('failure'));
    expect(JSON.stringify([...chain.rig.store.dump()])).toBe(before);
    chain.vaults.sign = signs;
    expect(await sweep()).toBe(1);
    expect([signedUpTo(), isDue()]).toEqual([RECORDS, false]);
  });

  it('for others are always quicker is named in the log, and stays on the agenda', async () => {
    const outrun = tablesBut(chain.rig.store, {
      write: (table, ...rest) =>
        table === 'events'
          ? Promise.resolve({ outcome: 'conflict', index: 0, reason: 'changed' })
          : chain.rig.store.write(table, ...rest),
    });
    expect(await sweep(outrun)).toBe(0);
    expect(logged('audit.head-not-signed')).toEqual(notSigned('busy'));
    expect([signedUpTo(), isDue()]).toEqual([0, true]);
  });
});
