// Events that wait where their act was written, as when the chain cannot be written at that moment.
import { RecordedWrite } from '../../../shared/store/recorded-write.ts';
import type { OutboxTable } from '../../../shared/store/outbox.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { COMPANY, type AuditRig } from './chain.ts';

export const ACT = { action: 'key.turned', companyId: COMPANY, target: 'key' };

/** Where acts of each table are written. */
export const PLACES: readonly (readonly [table: OutboxTable, partitionKey: string, rowKeyPrefix: string])[] = [
  ['companies', COMPANY, 'outbox|'],
  ['datakeys', `${COMPANY}|default|3`, '!outbox|'],
  ['vaultkeys', 'contoso.vault.azure.net|main-key', '!outbox|'],
  ['health', COMPANY, '!outbox|'],
];

export async function leaveEvent(
  { over, store }: AuditRig,
  table: OutboxTable = 'companies',
  partitionKey: string = COMPANY,
): Promise<void> {
  const noEvents = tablesBut(store, {
    write: (to, ...rest) => {
      if (to === 'events') throw new StoreUnavailable('planted');
      return store.write(to, ...rest);
    },
  });
  const record = new RecordedWrite(over(noEvents), { actor: ADMIN, act: ACT, outcome: 'done' });
  await record.write(table, partitionKey, []);
  await record.settle();
}
