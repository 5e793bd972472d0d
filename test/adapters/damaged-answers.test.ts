// The table adapter under answers that are none. Whatever is done to an answer, nobody may be told anything but the truth, that the
// store is away, or that the outcome is not known.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { TABLE_HOST } from '../../local/identities.ts';
import { installRedirect } from '../../local/redirect/install-redirect.ts';
import { startTables, type TablesEmulator } from '../../local/tables/start-tables.ts';
import { createCertificateAuthority } from '../../local/tls/certificates.ts';
import { AzureTables } from '../../shared/adapters/azure-tables.ts';
import { systemClock, systemEntropy } from '../../shared/adapters/system.ts';
import { listAll } from '../../shared/store/list-pages.ts';
import { type RowWrite, type StoredRow, type TableName, type WriteOutcome } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { storageCredential } from '../local/tables/bearer-token.ts';
import { damageToOutcome, damageToRows, type Damage } from './damages.ts';
import { startDamagingProxy, type Answer, type DamagingProxy } from './damaging-proxy.ts';

const RUNS = { seed: 20261130, numRuns: 120 };
const TABLE = 'companies';
let emulator: TablesEmulator;
let proxy: DamagingProxy;
let tables: AzureTables;
let count = 0;

beforeAll(async () => {
  const authority = await createCertificateAuthority();
  const tls = await authority.issue([TABLE_HOST]);
  emulator = await startTables({ tls });
  proxy = await startDamagingProxy({ tls, caPem: authority.caPem, host: TABLE_HOST, port: emulator.port });
  installRedirect({ caPem: authority.caPem, hosts: [{ name: TABLE_HOST, ports: { 443: proxy.port } }] });
  tables = new AzureTables({
    endpoint: `https://${TABLE_HOST}`,
    credential: storageCredential(),
    timers: { sleep: () => Promise.resolve() },
    entropy: systemEntropy,
    clock: systemClock,
    timeoutMs: 10_000,
  });
  await tables.createTables();
  for (const table of ['companies', 'datakeys'] as const) {
    for (const partition of ['acme', 'globex']) await insert(table, partition, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  }
});

beforeEach(() => {
  proxy.damage = undefined;
});

afterAll(async () => {
  await proxy.close();
  await emulator.close();
});

const rowOf = (rowKey: string): RowWrite => ({
  kind: 'insert',
  rowKey,
  cells: { text: `HTTP/1.1 500 ${rowKey}`, number: 1, bytes: Buffer.from('bytes') },
});

async function insert(table: TableName, partitionKey: string, rowKeys: readonly string[]): Promise<void> {
  expect((await tables.write(table, partitionKey, rowKeys.map(rowOf))).outcome).toBe('committed');
}

/** What is found under damage: the truth, or nothing at all because the store is away. */
async function under<T>(damage: Damage, from: number, ask: () => Promise<T>): Promise<T | 'away'> {
  let answers = 0;
  proxy.damage = (answer) => {
    answers += 1;
    return answers > from ? damage(answer) : answer;
  };
  try {
    return await ask();
  } catch (error) {
    if (error instanceof StoreUnavailable) return 'away';
    throw error;
  } finally {
    proxy.damage = undefined;
  }
}

it('a row is found as it is, or not at all for want of the store', async () => {
  const read = (): Promise<StoredRow | undefined> => tables.read(TABLE, 'acme', 'c');
  const truth = await read();
  expect(truth?.rowKey).toBe('c');
  await fc.assert(
    fc.asyncProperty(damageToRows, async ({ damage }) => {
      expect([truth, 'away']).toContainEqual(await under(damage, 0, read));
    }),
    RUNS,
  );
});

it('the store’s time is that of its last answer, of whatever kind, and unknown where an answer tells none', async () => {
  const dated = (date: string | undefined) => async (): Promise<number | undefined> => {
    proxy.damage = ({ headers: { date: _told, ...headers }, ...answer }) => ({
      ...answer,
      // Of an empty header nobody makes a time, and Node adds its own where there is none.
      headers: { ...headers, date: date ?? '' },
    });
    await tables.read(TABLE, 'acme', 'none');
    return tables.aheadMs();
  };
  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toUTCString();
  const near = (days: number, ms: number | undefined): boolean => Math.abs((ms ?? NaN) - days * 86_400_000) < 60_000;
  expect(near(40, await dated(inDays(40))())).toBe(true);
  expect(near(-40, await dated(inDays(-40))())).toBe(true);
  expect(await dated('soon')()).toBeUndefined();
  expect(await dated(undefined)()).toBeUndefined();
  proxy.damage = undefined;
  await tables.write(TABLE, 'globex', [rowOf('dated')]);
  expect(near(0, tables.aheadMs())).toBe(true);
});

it('that a row is not there is believed only of the service’s own word for this very question', async () => {
  await fc.assert(
    fc.asyncProperty(damageToRows, async ({ damage }) => {
      const found = await under(damage, 0, async () => (await tables.read(TABLE, 'acme', 'none')) ?? 'none');
      expect(['none', 'away']).toContain(found);
    }),
    RUNS,
  );
});

it('a list is whole, or the store is away, at whichever of its pages the damage begins', async () => {
  const list = async (): Promise<readonly StoredRow[]> => {
    const rows: StoredRow[] = [];
    let continuation: string | undefined;
    do {
      const query = { table: TABLE, partitionKey: 'acme', after: '!', before: 'g', limit: 3 } as const;
      const page = await tables.list({ ...query, ...(continuation === undefined ? {} : { continuation }) });
      rows.push(...page.rows);
      continuation = page.continuation;
    } while (continuation !== undefined);
    return rows;
  };
  const truth = await list();
  expect(truth.map(({ rowKey }) => rowKey)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  await fc.assert(
    fc.asyncProperty(damageToRows, fc.nat(1), async ({ damage }, from) => {
      const found = await under(damage, from, list);
      if (found !== 'away') expect(found).toEqual(truth);
    }),
    RUNS,
  );
});

it('an empty list is believed of no answer to another question', async () => {
  await fc.assert(
    fc.asyncProperty(damageToRows, async ({ damage }) => {
      const range = { table: TABLE, partitionKey: 'acme', after: 'x', before: 'y' } as const;
      const found = await under(damage, 0, () => listAll(tables, range));
      if (found !== 'away') expect(found).toEqual([]);
    }),
    RUNS,
  );
});

it.each([
  ['a row of another partition', (): Promise<unknown> => tables.read(TABLE, 'globex', 'c')],
  ['a row of another table', (): Promise<unknown> => tables.read('datakeys', 'acme', 'c')],
  ['another row', (): Promise<unknown> => tables.read(TABLE, 'acme', 'd')],
  [
    'a page of another partition',
    (): Promise<unknown> => listAll(tables, { table: TABLE, partitionKey: 'globex', after: '!', before: 'e' }),
  ],
  [
    'a page of another table',
    (): Promise<unknown> => listAll(tables, { table: 'datakeys', partitionKey: 'acme', after: '!', before: 'e' }),
  ],
  [
    'a page of another range',
    (): Promise<unknown> => listAll(tables, { table: TABLE, partitionKey: 'acme', after: 'c', before: 'h' }),
  ],
] as const)('%s, answered under the id of this request, is none', async (_name, other) => {
  // The first, which has the rows: a list is asked for once more behind its last one.
  proxy.first = undefined;
  await other();
  const foreign = proxy.first as Answer | undefined;
  if (!foreign) throw new Error('nothing was answered');
  const damage: Damage = ({ headers }) => ({
    ...foreign,
    headers: { ...foreign.headers, 'x-ms-client-request-id': headers['x-ms-client-request-id'] ?? '' },
  });
  expect(await under(damage, 0, () => tables.read(TABLE, 'acme', 'c'))).toBe('away');
  expect(
    await under(damage, 0, () => listAll(tables, { table: TABLE, partitionKey: 'acme', after: '!', before: 'e' })),
  ).toBe('away');
  const ends = { table: TABLE, partitionKey: 'acme', from: 'a', to: 'd', limit: 10 } as const;
  expect(await under(damage, 0, () => tables.list(ends))).toBe('away');
});

it('a range with its ends shows rows between them and both, or the store is away', async () => {
  const ends = { table: TABLE, partitionKey: 'acme', from: 'b', to: 'e', limit: 10 } as const;
  const truth = await tables.list(ends);
  expect(truth.rows.map(({ rowKey }) => rowKey)).toEqual(['b', 'c', 'd', 'e']);
  await fc.assert(
    fc.asyncProperty(damageToRows, async ({ damage }) => {
      const found = await under(damage, 0, () => tables.list(ends));
      if (found !== 'away') for (const row of found.rows) expect(truth.rows).toContainEqual(row);
    }),
    RUNS,
  );
});

it('a page without rows that leads back to itself, or into another partition, does not go on for ever', async () => {
  const none: Damage = (answer) => {
    const body = JSON.stringify({ ...(JSON.parse(answer.body) as object), value: [] });
    return { ...answer, body };
  };
  const leadingTo =
    (token: string): Damage =>
    (answer) => {
      const { headers, ...rest } = none(answer);
      const next = { 'x-ms-continuation-nextpartitionkey': token, 'x-ms-continuation-nextrowkey': 'YQ==' };
      return { ...rest, headers: { ...headers, ...next } };
    };
  for (const token of ['YWNtZQ==', `1!8!${Buffer.from('globex').toString('base64').replaceAll('=', '-')}`]) {
    const range = { table: TABLE, partitionKey: 'acme', after: '!', before: 'h' } as const;
    expect(await under(leadingTo(token), 0, () => listAll(tables, range))).toBe('away');
  }
});

it('of a transaction nothing is told but what came of it, or that it is not known', async () => {
  await insert(TABLE, 'writes', ['there', 'guard']);
  await fc.assert(
    fc.asyncProperty(damageToOutcome, fc.constantFrom('committed', 'exists', 'changed'), async ({ damage }, kind) => {
      count += 1;
      const guard = await tables.read(TABLE, 'writes', 'guard');
      if (!guard) throw new Error('the guard is gone');
      const etag = kind === 'changed' ? 'W/"other"' : guard.etag;
      const second = kind === 'exists' ? 'there' : `second-${count}`;
      const writes: readonly RowWrite[] = [
        rowOf(`first-${count}`),
        kind === 'changed' ? { kind: 'merge', rowKey: 'guard', etag, cells: {} } : rowOf(second),
        kind === 'changed' ? rowOf(second) : { kind: 'merge', rowKey: 'guard', etag, cells: {} },
      ];
      const told = await under<WriteOutcome>(damage, 0, () => tables.write(TABLE, 'writes', writes));
      if (told === 'away' || told.outcome === 'unknown') return;
      if (kind !== 'committed') {
        expect(told).toEqual({ outcome: 'conflict', index: 1, reason: kind });
        return;
      }
      const rows = await Promise.all(writes.map(({ rowKey }) => tables.read(TABLE, 'writes', rowKey)));
      expect(told).toEqual({ outcome: 'committed', etags: rows.map((row) => row?.etag) });
    }),
    RUNS,
  );
});
