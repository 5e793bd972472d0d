import { beforeEach, describe, expect, it } from 'vitest';
import { chained, eventOf, type AuditEvent } from '../../shared/domain/audit.ts';
import { recordCells } from '../../shared/store/rows/audit-rows.ts';
import { HEAD_ROW_KEY, recordRowKey } from '../../shared/store/rows/row-keys.ts';
import { appendEvent, type Appended } from '../../shared/store/append.ts';
import { type Tables } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { ADMIN, actorNamed } from '../fakes/actors.ts';
import { MISHAPS, tablesBut, tablesTripping } from '../fakes/tables-but.ts';
import { errorOf, valueOf } from '../operations/data-keys/world.ts';
import { ChainRig } from '../operations/audit/chain-rig.ts';
import { chainOf, COMPANY } from '../operations/audit/chain.ts';
import { ACT } from '../operations/audit/left-over.ts';

let chain: ChainRig;
beforeEach(() => {
  chain = new ChainRig();
});

const eventNamed = (id: string, by = ADMIN): AuditEvent =>
  eventOf(by, ACT, { id, at: '2026-01-01T00:00:00.000Z', outcome: 'done' });

async function append(id: string, tables: Tables = chain.rig.store): Promise<Appended> {
  return valueOf(await appendEvent(chain.rig.over(tables), eventNamed(id)));
}

const idsInChain = (): string[] => chainOf(chain.rig.store).map(({ id }) => id);
const stored = (): string => JSON.stringify([...chain.rig.store.dump()]);
const blockings = (): unknown[] => chain.rig.log.entries.filter(({ event }) => event === 'security.audit-blocked');

describe('an event that is appended', () => {
  it('asks for a signature if the head before it may have been a signed one', async () => {
    expect(await append('e1')).toBe('unsigned');
    expect(await append('e2')).toBe('appended');
    expect(await append('e3')).toBe('appended');
    await chain.sign();
    expect(await append('e4')).toBe('unsigned');
    expect(await append('e5')).toBe('appended');
    expect(idsInChain()).toEqual(['e1', 'e2', 'e3', 'e4', 'e5']);
  });

  it('is known when it comes again, and stays where it was', async () => {
    await append('e1');
    await append('e2');
    const before = stored();
    expect(await append('e1')).toBe('known');
    expect(stored()).toBe(before);
  });
});

describe.each(MISHAPS)('where the write of it ends as %s', (mishap) => {
  it.each([
    ['the first of its chain', 0],
    ['one of many', 3],
  ])('%s is in the chain once, and nobody is suspected', async (_, before) => {
    await chain.append(before);
    const tables = tablesTripping(chain.rig.store, HEAD_ROW_KEY, { mishap });
    expect(await append('e1', tables)).toBe(
      mishap === 'answer-lost' ? 'known' : before === 0 ? 'unsigned' : 'appended',
    );
    expect(idsInChain().filter((id) => id === 'e1')).toHaveLength(1);
    expect(chainOf(chain.rig.store)).toHaveLength(before + 1);
    expect(blockings()).toEqual([]);
  });

  it('it follows those who were quicker', async () => {
    const meanwhile = (): Promise<void> => chain.append(2);
    await append('e1', tablesTripping(chain.rig.store, HEAD_ROW_KEY, { mishap, meanwhile }));
    expect(idsInChain().filter((id) => id === 'e1')).toHaveLength(1);
    expect(chainOf(chain.rig.store)).toHaveLength(3);
    expect(blockings()).toEqual([]);
  });
});

describe('a race', () => {
  it.each([0, 3])(
    'behind %i records is none of tampering, if the store names the record and not the head',
    async (count) => {
      await chain.append(count);
      const { store } = chain.rig;
      let hasLost = false;
      const tables = tablesBut(store, {
        write: async (...write) => {
          if (hasLost) return store.write(...write);
          hasLost = true;
          await chain.append(1);
          return { outcome: 'conflict', index: 2, reason: 'exists' };
        },
      });
      await append('e1', tables);
      expect(idsInChain().at(-1)).toBe('e1');
      expect(chainOf(store)).toHaveLength(count + 2);
      expect(blockings()).toEqual([]);
    },
  );

  it('that is lost again and again is given up, and nothing is written', async () => {
    await chain.append(1);
    const before = stored();
    const tables = tablesBut(chain.rig.store, {
      write: () => Promise.resolve({ outcome: 'conflict', index: 0, reason: 'changed' }),
    });
    const given = await appendEvent(chain.rig.over(tables), eventNamed('e1'));
    expect(errorOf(given)).toMatchObject({ type: 'busy' });
    expect(stored()).toBe(before);
    expect(blockings()).toEqual([]);
  });
});

describe('a chain whose end somebody has tampered with', () => {
  const forged = (sequence: number): void => {
    const record = chained(eventNamed('forged', actorNamed('somebody')), { sequence: sequence - 1, hash: 'x' });
    chain.rig.store.tamper('events', COMPANY, recordRowKey(sequence), recordCells(record));
  };

  it.each([
    ['has a record and no head', 0, () => forged(1), 'there is a record behind the head'],
    ['has a record behind its head', 3, () => forged(4), 'there is a record behind the head'],
    [
      'has a head that cannot be read',
      3,
      () => chain.rig.store.tamper('events', COMPANY, HEAD_ROW_KEY, { format: 1 }),
      'the head cannot be read',
    ],
  ])('and that %s is blocked by name, and nothing of it is lost or written over', async (_, count, tamper, reason) => {
    await chain.append(count);
    tamper();
    const before = stored();
    expect(await append('e1')).toBe('blocked');
    expect(stored()).toBe(before);
    const detail = { companyId: COMPANY, eventId: 'e1', reason };
    expect(blockings()).toEqual([{ level: 'error', event: 'security.audit-blocked', detail }]);
  });

  it('takes the event when it has been put right', async () => {
    await chain.append(3);
    forged(4);
    await append('e1');
    await chain.remove(recordRowKey(4));
    expect(await append('e1')).toBe('appended');
    expect(idsInChain().at(-1)).toBe('e1');
  });

  it('is not suspected for a store that is away', async () => {
    const away = tablesBut(chain.rig.store, { read: () => Promise.reject(new StoreUnavailable('planted')) });
    await expect(append('e1', away)).rejects.toThrow(StoreUnavailable);
    expect(blockings()).toEqual([]);
  });
});
