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

test.each(['read', 'readAll'] as const)(
  'a row kept by %s has memory of its own, and keeps that of nobody',
  async (how) => {
    const rows = new WrappedRows({ tables, clock: new FakeClock() }, { rows: 10, ttlMs: 1_000 });
    if (how === 'read') await rows.read(PLACE, 'a', 1);
    else await rows.readAll(PLACE, ['a', 'b'], 1);
    const { blob } = rows.kept(PLACE, 'a')!;
    expect(Buffer.from(blob).toString('base64')).toBe(WRAPPED);
    expect(stored('a').cells['blob']).toMatchObject({ buffer: { byteLength: Buffer.poolSize } });
    expect(blob.buffer.byteLength).toBe(blob.length);
  },
);
