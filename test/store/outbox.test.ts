import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RESOURCE_ID } from '../../shared/domain/ids.ts';
import { claimPartition, dataKeysPartition, SYSTEM_PARTITION } from '../../shared/store/rows/row-keys.ts';
import { allBuckets, putOnAgenda, type AgendaItem } from '../../shared/store/agenda.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import { outboxItem, placeOfItem, type OutboxPlace } from '../../shared/store/outbox.ts';
import { FakeTables } from '../fakes/fake-tables.ts';
import { MISHAPS, tablesTripping } from '../fakes/tables-but.ts';
import { listAgenda } from './agenda-list.ts';
import { agendaIn, auditRig, chainOf, COMPANY, outboxesIn, type AuditRig } from '../operations/audit/chain.ts';
import { leaveEvent, PLACES } from '../operations/audit/left-over.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const resourceId = fc.stringMatching(RESOURCE_ID);
const id = fc.uuid({ version: 7 });
const inCompany = (table: 'companies' | 'health'): fc.Arbitrary<OutboxPlace> =>
  fc
    .record({ companyId: fc.oneof(resourceId, fc.constant(SYSTEM_PARTITION)), id })
    .map(({ companyId, id: eventId }) => ({ table, partitionKey: companyId, companyId, id: eventId }));
const inShard: fc.Arbitrary<OutboxPlace> = fc
  .record({
    companyId: resourceId,
    keyringId: fc.oneof(resourceId, fc.constantFrom('companies', 'datakeys', 'health', 'vaultkeys')),
    shard: fc.nat(4095),
    id,
  })
  .map((at) => ({ table: 'datakeys', partitionKey: dataKeysPartition(at), companyId: at.companyId, id: at.id }));
const ofVaultKey: fc.Arbitrary<OutboxPlace> = fc
  .record({
    companyId: resourceId,
    host: fc.constant('contoso.vault.azure.net'),
    keyName: fc.stringMatching(/^[a-z0-9-]{1,20}$/),
    id,
  })
  .map(({ companyId, id: eventId, ...key }) => {
    return { table: 'vaultkeys', partitionKey: claimPartition(key), companyId, id: eventId };
  });
const places = fc.oneof(inCompany('companies'), inCompany('health'), inShard, ofVaultKey);

async function listed(store: FakeTables): Promise<AgendaItem[]> {
  const buckets = await Promise.all(allBuckets.map((bucket) => listAgenda(store, bucket, 'outbox')));
  return buckets.flat();
}

async function sweepForADay({ deps, clock }: AuditRig): Promise<void> {
  for (const ms of [MINUTE_MS, MINUTE_MS, DAY_MS]) {
    clock.advance(ms);
    await sweepOutboxes(deps);
  }
}

function expectRecordedOnce({ store }: AuditRig): void {
  expect(chainOf(store)).toMatchObject([{ action: 'key.turned', by: 'admin' }]);
  expect([outboxesIn(store), agendaIn(store, 'outbox')]).toEqual([[], []]);
  expect(agendaIn(store, 'head')).toEqual([`head|${COMPANY}|head`]);
}

describe('the place of an event on its way', () => {
  it('is read from the agenda as it was written there, whatever the table, the company and the shard', async () => {
    await fc.assert(
      fc.asyncProperty(places, async (place) => {
        const store = new FakeTables();
        await putOnAgenda(store, outboxItem(place));
        expect((await listed(store)).map(placeOfItem)).toEqual([place]);
      }),
    );
  });

  it('is none if the item names more than a shard and an event', () => {
    expect(placeOfItem({ kind: 'outbox', companyId: COMPANY, id: 'default|3|e1|x' })).toBeUndefined();
  });
});

describe.each(PLACES)('an event of an act in %s', (table, partitionKey, prefix) => {
  it('waits beside what its act wrote, and is told from it by the row key', async () => {
    const rig = auditRig();
    await leaveEvent(rig, table, partitionKey);
    const waiting = [...rig.store.dump()].filter((row) => row.table === table);
    expect(waiting).toMatchObject([{ partitionKey, cells: { action: 'key.turned' } }]);
    expect(waiting[0]?.rowKey).toMatch(new RegExp(`^${prefix.replace('|', '\\|')}[0-9a-f-]{36}$`));
  });

  it('is found by the timer, and taken to the chain of its company once', async () => {
    const rig = auditRig();
    await leaveEvent(rig, table, partitionKey);
    expect(agendaIn(rig.store, 'outbox')).toHaveLength(1);
    rig.clock.advance(MINUTE_MS);
    expect(await sweepOutboxes(rig.deps)).toBe(1);
    expectRecordedOnce(rig);
    expect(await sweepOutboxes(rig.deps)).toBe(0);
  });

  describe.each([
    ['the append', '!head'],
    ['its leaving the table', prefix],
    ['its leaving the agenda', `outbox|${COMPANY}|`],
    ['the order to sign', 'head|'],
  ])('where %s', (_, rowKeyPrefix) => {
    it.each(MISHAPS)('ends as %s, is recorded once', async (mishap) => {
      const rig = auditRig();
      await leaveEvent(rig, table, partitionKey);
      rig.clock.advance(MINUTE_MS);
      await sweepOutboxes(rig.over(tablesTripping(rig.store, rowKeyPrefix, { mishap })));
      await sweepForADay(rig);
      expectRecordedOnce(rig);
    });

    it.each(MISHAPS)('ends as %s while the timer of another host takes it too, is recorded once', async (mishap) => {
      const rig = auditRig();
      await leaveEvent(rig, table, partitionKey);
      rig.clock.advance(MINUTE_MS);
      const meanwhile = async (): Promise<void> => {
        await sweepOutboxes(rig.deps);
      };
      await sweepOutboxes(rig.over(tablesTripping(rig.store, rowKeyPrefix, { mishap, meanwhile })));
      await sweepForADay(rig);
      expectRecordedOnce(rig);
    });
  });
});
