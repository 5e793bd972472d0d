// The record of what was done against somebody who writes every table: what our own timer signs is what leads on from what it signed before.
import { afterAll, beforeAll, expect } from 'vitest';
import { openTable } from '../../local/demo/table-dump.ts';
import { chained } from '../../shared/domain/audit.ts';
import { headCells, readHead, readRecord, recordCells } from '../../shared/store/rows/audit-rows.ts';
import { HEAD_ROW_KEY, recordRowKey } from '../../shared/store/rows/row-keys.ts';
import { agendaPlaceOf } from '../../shared/store/agenda.ts';
import { headItem } from '../../shared/store/deliver.ts';
import { LOG_LIMIT } from '../end-to-end/harness.ts';
import { attack } from './attacks.ts';
import { Scene } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open({ switched: false, settings: { KEYSWITCH_AUDIT_SCHEDULE: '*/2 * * * * *' } });
});
afterAll(() => scene.close());

const logged = (event: string, companyId: string): readonly string[] =>
  scene.run.lines.filter((line) => line.includes(`"${event}"`) && line.includes(`"${companyId}"`));

attack('A91', async () => {
  const companyId = 'a91';
  await scene.intruder(companyId);
  const events = openTable(scene.run.credential, 'events');
  const head = async (): Promise<ReturnType<typeof readHead>> =>
    readHead(await events.getEntity<Record<string, string>>(companyId, HEAD_ROW_KEY));
  await expect.poll(async () => (await head()).signedSequence, LOG_LIMIT).toBeGreaterThan(0);
  await expect.poll(async () => (await head()).signedSequence === (await head()).sequence, LOG_LIMIT).toBe(true);
  const { sequence } = await head();
  const before = logged('events.head-signed', companyId).length;
  // The last record is written anew, and another one behind it: consistent in itself, head and agenda too.
  const row = await events.getEntity<Record<string, string>>(companyId, recordRowKey(sequence));
  const record = readRecord(row, companyId)!;
  const changed = chained({ ...record, by: 'nobody' }, { sequence: sequence - 1, hash: record.previous });
  const further = chained({ ...record, id: 'further', by: 'nobody' }, changed);
  for (const forged of [changed, further]) {
    const rowKey = recordRowKey(forged.sequence);
    await events.upsertEntity({ partitionKey: companyId, rowKey, ...recordCells(forged) }, 'Replace');
  }
  const { hash } = further;
  const cells = headCells({ sequence: sequence + 1, hash, signedSequence: sequence });
  await events.upsertEntity({ partitionKey: companyId, rowKey: HEAD_ROW_KEY, ...cells }, 'Replace');
  const { bucket, rowKey } = agendaPlaceOf(headItem(companyId));
  await openTable(scene.run.credential, 'agenda').upsertEntity({ partitionKey: bucket, rowKey, format: 1 }, 'Replace');
  await expect.poll(() => logged('security.head-not-led', companyId), LOG_LIMIT).not.toEqual([]);
  expect(logged('events.head-signed', companyId)).toHaveLength(before);
  expect((await head()).signedSequence).toBe(sequence);
  const { body } = await scene.run.call<{ status: string }>('GET', `/companies/${companyId}/events/verify`);
  expect(body.status).toBe('broken');
});
