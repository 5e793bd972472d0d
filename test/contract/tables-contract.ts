// What every Tables must do, whoever implements it: run over the fake and over Azure's adapter. Takes tables that may hold
// anything; every test works in a partition of its own.
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { rowKeysUnder } from '../../shared/store/rows/row-keys.ts';
import type { Cell, Cells, RowWrite, StoredRow, Tables, WriteOutcome } from '../../shared/store/tables.ts';
import { RowRanges } from '../../shared/operations/data-keys/row-ranges.ts';
import { BeyondTableLimits } from '../../shared/store/table-limits.ts';

const TABLE = 'companies';

export function describeTables(tablesOf: () => Tables): void {
  const partition = (): string => `acme|${randomUUID()}`;
  const insert = (rowKey: string, cells: Cells = { value: rowKey }): RowWrite => ({ kind: 'insert', rowKey, cells });

  async function put(partitionKey: string, ...rowKeys: string[]): Promise<readonly string[]> {
    const written = await tablesOf().write(
      TABLE,
      partitionKey,
      rowKeys.map((rowKey) => insert(rowKey)),
    );
    return committed(written);
  }
  const read = (partitionKey: string, rowKey: string): Promise<StoredRow | undefined> =>
    tablesOf().read(TABLE, partitionKey, rowKey);

  test('a row that is not there is undefined', async () => {
    expect(await read(partition(), 'none')).toBeUndefined();
  });

  test('a row is read back with the ETag that its write answered', async () => {
    const at = partition();
    const [etag] = await put(at, 'company');
    expect(await read(at, 'company')).toEqual({ rowKey: 'company', etag, cells: { value: 'company' } });
  });

  test('cells come back with the types they were written with', async () => {
    const at = partition();
    const cells = {
      text: 'a',
      empty: '',
      odd: 'it\'s "quoted", \r\n broken, ünïcödé 🔑 and HTTP/1.1 500',
      looksLikeDate: '2026-11-22T00:33:08.676Z',
      looksLikeNumber: '17',
      zero: 0,
      negative: -5,
      largestInt32: 2_147_483_647,
      aboveInt32: 2_147_483_648,
      belowInt32: -2_147_483_649,
      large: 9_007_199_254_740_991,
      fraction: 0.1,
      yes: true,
      no: false,
    };
    await tablesOf().write(TABLE, at, [insert('row', cells)]);
    expect((await read(at, 'row'))?.cells).toEqual(cells);
  });

  test('texts with line separators come back in a transaction of more than one row; half a pair is no text', async () => {
    const at = partition();
    const odd = 'a\u2028HTTP/1.1 500\u2029b';
    await tablesOf().write(TABLE, at, [insert('a', { odd }), insert('b', { odd, half: 'a\ud800b' }), insert('c')]);
    expect((await read(at, 'a'))?.cells).toEqual({ odd });
    expect((await read(at, 'b'))?.cells).toEqual({ odd, half: 'a\ufffdb' });
    expect((await read(at, 'c'))?.cells).toEqual({ value: 'c' });
  });

  test('bytes come back as they were, also none, and a view gives away nothing of the buffer around it', async () => {
    const at = partition();
    const pool = Uint8Array.from({ length: 512 }, (_, index) => index % 256);
    const view = pool.subarray(100, 161);
    await tablesOf().write(TABLE, at, [insert('row', { view, all: pool, none: new Uint8Array(0) })]);
    const cells = (await read(at, 'row'))?.cells ?? {};
    expect(hex(cells['view'])).toBe(hex(view));
    expect(hex(cells['all'])).toBe(hex(pool));
    expect(hex(cells['none'])).toBe('');
  });

  test('a cell that is undefined is not written', async () => {
    const at = partition();
    await tablesOf().write(TABLE, at, [insert('row', { there: 1, notThere: undefined })]);
    expect((await read(at, 'row'))?.cells).toEqual({ there: 1 });
  });

  test('row keys hold every character that ours use, and more', async () => {
    const at = partition();
    const keys = ['!shard', 'companykey|default|0000000001', 'a.b_c-D', "o'neil", 'a b', 'a+b&c=d%20', 'ü'];
    await put(at, ...keys);
    for (const key of keys) expect((await read(at, key))?.cells).toEqual({ value: key });
  });

  test('an insert of a row that exists writes nothing and says which', async () => {
    const at = partition();
    await put(at, 'b');
    const outcome = await tablesOf().write(TABLE, at, [insert('a'), insert('b', { value: 'other' }), insert('c')]);
    expect(outcome).toEqual({ outcome: 'conflict', index: 1, reason: 'exists' });
    expect(await read(at, 'a')).toBeUndefined();
    expect((await read(at, 'b'))?.cells).toEqual({ value: 'b' });
  });

  test('a single insert of a row that exists is a conflict like any other', async () => {
    const at = partition();
    await put(at, 'a');
    expect(await tablesOf().write(TABLE, at, [insert('a')])).toEqual({
      outcome: 'conflict',
      index: 0,
      reason: 'exists',
    });
  });

  test.each(['replace', 'merge'] as const)('%s under an ETag that is no longer the row’s is refused', async (kind) => {
    const at = partition();
    const [etag = ''] = await put(at, 'a');
    const change = (value: string, under: string): RowWrite => ({ kind, rowKey: 'a', cells: { value }, etag: under });
    const [next = ''] = committed(await tablesOf().write(TABLE, at, [change('1', etag)]));
    expect(next).not.toBe(etag);
    expect(await tablesOf().write(TABLE, at, [insert('z'), change('2', etag)])).toEqual({
      outcome: 'conflict',
      index: 1,
      reason: 'changed',
    });
    expect(await read(at, 'z')).toBeUndefined();
    expect(await read(at, 'a')).toEqual({ rowKey: 'a', etag: next, cells: { value: '1' } });
  });

  test.each(['replace', 'merge', 'delete'] as const)('%s of a row that is not there is refused', async (kind) => {
    const at = partition();
    const [etag = ''] = await put(at, 'other');
    const write: RowWrite =
      kind === 'delete' ? { kind, rowKey: 'a', etag } : { kind, rowKey: 'a', etag, cells: { value: 'x' } };
    const guard: RowWrite = { kind: 'merge', rowKey: 'other', cells: {}, etag };
    expect(await tablesOf().write(TABLE, at, [guard, write])).toEqual({
      outcome: 'conflict',
      index: 1,
      reason: 'missing',
    });
  });

  test('a merge leaves the cells that it does not name; a replace leaves none', async () => {
    const at = partition();
    const [etag = ''] = committed(await tablesOf().write(TABLE, at, [insert('a', { kept: 1, changed: 'a' })]));
    const merge: RowWrite = { kind: 'merge', rowKey: 'a', cells: { changed: 'b', added: true }, etag };
    const [merged = ''] = committed(await tablesOf().write(TABLE, at, [merge]));
    expect((await read(at, 'a'))?.cells).toEqual({ kept: 1, changed: 'b', added: true });
    await tablesOf().write(TABLE, at, [{ kind: 'replace', rowKey: 'a', cells: { only: 1 }, etag: merged }]);
    expect((await read(at, 'a'))?.cells).toEqual({ only: 1 });
  });

  test('a merge of no cells changes nothing but demands the ETag, and answers a new one', async () => {
    const at = partition();
    const [etag = ''] = await put(at, 'guard');
    const guarded = (under: string, rowKey: string): Promise<WriteOutcome> =>
      tablesOf().write(TABLE, at, [{ kind: 'merge', rowKey: 'guard', cells: {}, etag: under }, insert(rowKey)]);
    const [next = ''] = committed(await guarded(etag, 'first'));
    expect(await read(at, 'guard')).toEqual({ rowKey: 'guard', etag: next, cells: { value: 'guard' } });
    expect(await guarded(etag, 'second')).toEqual({ outcome: 'conflict', index: 0, reason: 'changed' });
    expect(await read(at, 'second')).toBeUndefined();
    expect((await guarded(next, 'second')).outcome).toBe('committed');
  });

  test('a delete holds only under the row’s ETag', async () => {
    const at = partition();
    const [first = ''] = await put(at, 'a', 'b');
    const [changed = ''] = committed(
      await tablesOf().write(TABLE, at, [{ kind: 'merge', rowKey: 'a', cells: { value: 'new' }, etag: first }]),
    );
    const remove = (etag: string): Promise<WriteOutcome> =>
      tablesOf().write(TABLE, at, [insert('c'), { kind: 'delete', rowKey: 'a', etag }]);
    expect(await remove(first)).toEqual({ outcome: 'conflict', index: 1, reason: 'changed' });
    expect((await read(at, 'a'))?.cells).toEqual({ value: 'new' });
    expect(await read(at, 'c')).toBeUndefined();
    const etags = committed(await remove(changed));
    expect([etags[0] === '', etags[1]]).toEqual([false, '']);
    expect(await read(at, 'a')).toBeUndefined();
    expect((await read(at, 'b'))?.cells).toEqual({ value: 'b' });
  });

  test('a full transaction of all kinds answers an ETag for each write in its order', async () => {
    const at = partition();
    const rowKeys = Array.from({ length: 99 }, (_, index) => `k${String(index).padStart(2, '0')}`);
    const [guard = '', ...etags] = await put(at, '!shard', ...rowKeys);
    const kinds = ['replace', 'merge', 'delete'] as const;
    const writes: RowWrite[] = rowKeys.map((rowKey, index) => {
      const etag = etags[index] ?? '';
      const kind = kinds[index % 3] ?? 'merge';
      return kind === 'delete' ? { kind, rowKey, etag } : { kind, rowKey, etag, cells: { value: 'new' } };
    });
    const outcome = await tablesOf().write(TABLE, at, [
      { kind: 'merge', rowKey: '!shard', cells: { count: 99 }, etag: guard },
      ...writes,
    ]);
    const written = committed(outcome);
    const { rows } = await tablesOf().list({ table: TABLE, partitionKey: at, limit: 1_000 });
    const expected = ['!shard', ...rowKeys].flatMap((rowKey, index) =>
      written[index] === '' ? [] : [{ rowKey, etag: written[index] }],
    );
    expect(rows.map(({ rowKey, etag }) => ({ rowKey, etag }))).toEqual(expected);
    expect(rows).toHaveLength(67);
  });

  test('of two writers with one ETag exactly one wins', async () => {
    const at = partition();
    const [etag = ''] = await put(at, 'a');
    const outcomes = await Promise.all(
      ['1', '2', '3', '4'].map((value) =>
        tablesOf().write(TABLE, at, [{ kind: 'merge', rowKey: 'a', cells: { value }, etag }, insert(`by-${value}`)]),
      ),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'committed')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.outcome === 'conflict' && outcome.reason === 'changed')).toHaveLength(
      3,
    );
    const { rows } = await tablesOf().list({ table: TABLE, partitionKey: at, after: 'by-', limit: 10 });
    expect(rows).toHaveLength(1);
  });

  test('rows are listed in the order of their keys’ code units, and of one partition only', async () => {
    const at = partition();
    await put(`${at}|other`, 'x');
    await put(at, 'b', '!shard', 'a.b', 'B', 'a|b', '10', '9', 'a-b', 'a');
    expect(await keysOf(tablesOf(), at)).toEqual(['!shard', '10', '9', 'B', 'a', 'a-b', 'a.b', 'a|b', 'b']);
  });

  test('after and before bound a list, both exclusive', async () => {
    const at = partition();
    await put(at, 'a', 'b', 'c', 'd');
    expect(await keysOf(tablesOf(), at, { after: 'a', before: 'd' })).toEqual(['b', 'c']);
    expect(await keysOf(tablesOf(), at, { after: 'b' })).toEqual(['c', 'd']);
    expect(await keysOf(tablesOf(), at, { before: 'b' })).toEqual(['a']);
    expect(await keysOf(tablesOf(), at, { after: '' })).toEqual(['a', 'b', 'c', 'd']);
    expect(await keysOf(tablesOf(), at, { after: 'd' })).toEqual([]);
  });

  test('from and to bound a list, both inclusive, whichever data keys’ ids they are, and a page goes on within them', async () => {
    const at = partition();
    const ids = [
      '0',
      '0-',
      '0.',
      '00',
      '0A',
      '0_',
      '0a',
      '9z',
      'A',
      'A-',
      'Z',
      'Z_z',
      'a',
      'aA',
      'aa',
      'z',
      'z-',
      'z_',
      'zz',
    ];
    const [last, longest] = ['z'.repeat(127) + '_', 'z'.repeat(128)];
    ids.push(last, longest);
    await put(at, ...ids.toReversed());
    expect(ids.toSorted()).toEqual(ids);
    for (const [first, from] of ids.entries()) {
      const to = ids[Math.min(ids.length - 1, first + (first % 5))] ?? from;
      const wanted = ids.filter((id) => id >= from && id <= to);
      expect(await keysOf(tablesOf(), at, { from, to })).toEqual(wanted);
    }
    expect(await keysOf(tablesOf(), at, { from: '0', to: longest })).toEqual(ids);
    const range = { table: TABLE, partitionKey: at, from: '0', to: last, limit: 7 } as const;
    const pages: string[][] = [];
    let page = await tablesOf().list(range);
    pages.push(page.rows.map(({ rowKey }) => rowKey));
    while (page.continuation !== undefined) {
      page = await tablesOf().list({ ...range, continuation: page.continuation });
      pages.push(page.rows.map(({ rowKey }) => rowKey));
    }
    expect(pages.flat()).toEqual(ids.slice(0, -1));
    expect(Math.max(...pages.map(({ length }) => length))).toBe(7);
  });

  test('ranges of a shard show the rows that reads by themselves do', async () => {
    const at = `acme|default|${randomUUID()}`;
    const kept = Array.from({ length: 99 }, (_, n) => `${['0', 'Z', 'a', 'z'][n % 4]}-${n}`);
    const written = await tablesOf().write(
      'datakeys',
      at,
      kept.map((rowKey) => insert(rowKey)),
    );
    expect(written.outcome).toBe('committed');
    const keyIds = [...kept.filter((_, n) => n % 3 > 0), '0', '0.', 'Z-1x', 'none', 'z_', 'zzz'];
    const rows = await new RowRanges(tablesOf()).read('acme|default', [{ partitionKey: at, keyIds }]);
    expect([...rows.keys()].sort()).toEqual(keyIds.filter((id) => kept.includes(id)).sort());
    for (const [rowKey, row] of rows) expect(row).toEqual(await tablesOf().read('datakeys', at, rowKey));
  });

  test('a prefix range holds what begins with the prefix, and nothing that sorts beside it', async () => {
    const at = partition();
    const inside = ['keyring|', 'keyring|a', 'keyring|z-9', 'keyring|default'];
    await put(at, ...inside.slice(1), 'keyring', 'keyring-a', 'keyrings|a', 'keyrinf|a', 'keyring}');
    expect(await keysOf(tablesOf(), at, rowKeysUnder('keyring|'))).toEqual([
      'keyring|a',
      'keyring|default',
      'keyring|z-9',
    ]);
  });

  test('a list goes on page by page from its continuation, within its bounds and through changes', async () => {
    const at = partition();
    const rowKeys = Array.from({ length: 25 }, (_, index) => `k|${String(index).padStart(3, '0')}`);
    await put(at, 'j|', ...rowKeys, 'l|');
    const seen: string[] = [];
    let continuation: string | undefined;
    let pages = 0;
    do {
      const page = await tablesOf().list({
        table: TABLE,
        partitionKey: at,
        ...rowKeysUnder('k|'),
        limit: 10,
        ...(continuation === undefined ? {} : { continuation }),
      });
      expect(page.rows.length).toBeLessThanOrEqual(10);
      seen.push(...page.rows.map(({ rowKey }) => rowKey));
      continuation = page.continuation;
      pages += 1;
      if (pages === 1) await put(at, 'k|000a', 'k|024a');
    } while (continuation !== undefined);
    expect(seen).toEqual([...rowKeys, 'k|024a']);
    expect(pages).toBe(3);
  });

  test('a list that fits its limit exactly ends, with or without one more empty page', async () => {
    const at = partition();
    await put(at, 'a', 'b');
    const page = await tablesOf().list({ table: TABLE, partitionKey: at, limit: 2 });
    expect(page.rows).toHaveLength(2);
    if (page.continuation === undefined) return;
    const { continuation } = page;
    expect(await tablesOf().list({ table: TABLE, partitionKey: at, limit: 2, continuation })).toEqual({ rows: [] });
  });

  test('an empty partition lists nothing', async () => {
    expect(await tablesOf().list({ table: TABLE, partitionKey: partition(), limit: 10 })).toEqual({ rows: [] });
  });

  test('tables are apart: the same keys in another table are another row', async () => {
    const at = partition();
    await put(at, 'a');
    expect(await tablesOf().read('events', at, 'a')).toBeUndefined();
  });

  test('what the store holds at most comes back, and what is beyond is refused before it is sent', async () => {
    const at = partition();
    const many = (count: number, value: Cell): Cells =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, value]));
    const takes = { text: 'x'.repeat(32 * 1024), bytes: new Uint8Array(64 * 1024), ...many(250, 1) };
    expect((await tablesOf().write(TABLE, at, [insert('k'.repeat(500), takes)])).outcome).toBe('committed');
    expect(Object.keys((await read(at, 'k'.repeat(500)))?.cells ?? {})).toHaveLength(252);
    const large = many(15, 'x'.repeat(32 * 1024));
    expect((await tablesOf().write(TABLE, at, [insert('large', large)])).outcome).toBe('committed');
    const refused: RowWrite[][] = [
      [insert('a', { text: 'x'.repeat(32 * 1024 + 1) })],
      [insert('a', { text: '\u00e9'.repeat(32 * 1024 + 1) })],
      [insert('a', { bytes: new Uint8Array(64 * 1024 + 1) })],
      [insert('a', many(253, 1))],
      [insert('a', many(17, 'x'.repeat(32_000)))],
      [insert('a', many(17, new Uint8Array(64_000)))],
      [insert('a', { ['n'.repeat(256)]: 1 })],
      [insert('k'.repeat(1_025))],
      ...['a/b', 'a\\b', 'a#b', 'a?b', 'a\nb', 'a\u0085b'].map((key) => [insert(key)]),
      [insert('fine'), insert('a', many(253, 1))],
    ];
    for (const writes of refused) {
      await expect((async () => tablesOf().write(TABLE, at, writes))()).rejects.toThrow(BeyondTableLimits);
    }
    expect(await read(at, 'fine')).toBeUndefined();
  });

  test('a transaction of none, of more than 100 or with a row twice is a bug', async () => {
    const at = partition();
    const many = Array.from({ length: 101 }, (_, index) => insert(`k${index}`));
    for (const writes of [[], many, [insert('a'), insert('a')]]) {
      await expect((async () => tablesOf().write(TABLE, at, writes))()).rejects.toThrow();
    }
    expect(await keysOf(tablesOf(), at)).toEqual([]);
  });
}

function committed(outcome: WriteOutcome): readonly string[] {
  if (outcome.outcome !== 'committed') throw new Error(JSON.stringify(outcome));
  return outcome.etags;
}

const hex = (value: unknown): string | undefined =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : undefined;

async function keysOf(
  tables: Tables,
  partitionKey: string,
  range: { after?: string; before?: string; from?: string; to?: string } = {},
): Promise<string[]> {
  const { rows } = await tables.list({ table: TABLE, partitionKey, limit: 1_000, ...range });
  return rows.map(({ rowKey }) => rowKey);
}
