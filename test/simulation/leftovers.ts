// What is left on the agenda, straight from the store.
import { switchRowKey } from '../../shared/domain/rows/row-keys.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';

/** Ids of switches that are on the agenda and that there are: an order that failed may leave an item for a day. */
export function switchesOnAgenda(store: FakeTables): string[] {
  return [...store.dump()].flatMap(({ table, rowKey }) => {
    const [kind, companyId = '', keyringId = '', switchId = ''] = rowKey.split('|');
    if (table !== 'agenda' || kind !== 'switch') return [];
    return store.peek('companies', companyId, switchRowKey(keyringId, switchId)) ? [switchId] : [];
  });
}
