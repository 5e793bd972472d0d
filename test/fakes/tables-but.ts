import type { RowWrite, Tables } from '../../shared/store/tables.ts';

/** What a process throws that is gone: no operation knows it. */
export class Died extends Error {}

/** The store of a process that dies at one of its calls, counted from 1: before it was carried out, or after. No later call is. */
export function tablesDyingAt(store: Tables, call: number, moment: 'before' | 'after'): Tables {
  let calls = 0;
  const dying = async <T>(ask: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (calls > call || (calls === call && moment === 'before')) throw new Died();
    const answer = await ask();
    if (calls >= call) throw new Died();
    return answer;
  };
  return {
    read: (...asked) => dying(() => store.read(...asked)),
    list: (...asked) => dying(() => store.list(...asked)),
    write: (...asked) => dying(() => store.write(...asked)),
  };
}

/** The store with another answer to some of its calls. */
export const tablesBut = (store: Tables, other: Partial<Tables>): Tables => ({
  read: store.read.bind(store),
  list: store.list.bind(store),
  write: store.write.bind(store),
  ...other,
});

/** What comes of a write: done, and its answer is lost; not done, and its answer is lost; or others were first. */
export const MISHAPS = ['answer-lost', 'not-written', 'outrun'] as const;
export type Mishap = (typeof MISHAPS)[number];

/** The store whose first write of a row under `prefix` comes to grief. `meanwhile` is what others do at that moment. */
export function tablesTripping(
  store: Tables,
  prefix: string,
  { mishap, meanwhile }: { readonly mishap: Mishap; readonly meanwhile?: () => void | Promise<void> },
): Tables {
  const whole = tablesBut(store, {});
  const isMet = (writes: readonly RowWrite[]): boolean => writes.some(({ rowKey }) => rowKey.startsWith(prefix));
  let hasTripped = false;
  return tablesBut(store, {
    write: async (table, partitionKey, writes) => {
      if (hasTripped || !isMet(writes)) return whole.write(table, partitionKey, writes);
      hasTripped = true;
      if (mishap === 'answer-lost') await whole.write(table, partitionKey, writes);
      await meanwhile?.();
      return mishap === 'outrun' ? { outcome: 'conflict', index: 0, reason: 'changed' } : { outcome: 'unknown' };
    },
  });
}
