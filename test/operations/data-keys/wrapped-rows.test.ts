// What is kept of wrapped rows costs what it says, and holds nothing else.
import { expect, test } from 'vitest';
import type { StoredRow, Tables } from '../../../shared/store/tables.ts';
import { WrappedRows } from '../../../shared/operations/data-keys/wrapped-rows.ts';
import { FakeClock } from '../../fakes/fake-system.ts';
import { PLACE } from './world.ts';

const WRAPPED = 'd3JhcHBlZA==';

/** As the adapter reads it: a small buffer, cut from a piece of memory that others share. */
const stored = (rowKey: string): StoredRow => ({
  rowKey,
  etag: '1',
  cells: { state: 'live', companyKeyVersion: 1, blob: Buffer.from(WRAPPED, 'base64') },
});

const tables: Pick<Tables, 'read' | 'list'> = {
  read: (_table, _partition, rowKey) => Promise.resolve(stored(rowKey)),
  list: () => Promise.resolve({ rows: [stored('a'), stored('b')] }),
};

test.each([
  ['one', ['a']],
  ['several', ['a', 'b']],
])('a row kept by a call for %s has memory of its own, and keeps that of nobody', async (_, keyIds) => {
  const rows = new WrappedRows({ tables, clock: new FakeClock() }, { rows: 10, ttlMs: 1_000 });
  const keyring = { ...PLACE, shardCount: 1 };
  await rows.find(keyring, keyIds, { anew: false });
  const [found] = await rows.find(keyring, ['a'], { anew: false });
  expect(found?.kept).toBe(true);
  const { blob } = found!.row!;
  expect(Buffer.from(blob).toString('base64')).toBe(WRAPPED);
  expect(stored('a').cells['blob']).toMatchObject({ buffer: { byteLength: Buffer.poolSize } });
  expect(blob.buffer.byteLength).toBe(blob.length);
});
