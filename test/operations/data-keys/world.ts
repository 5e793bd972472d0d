// A vendor with Keyswitch and no company yet: all that the operations on companies, keyrings and data keys need, in memory. Several
// host processes can be had over the same store.
import { expect } from 'vitest';
import { readDataKey, readShard } from '../../../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { countsAfter, NO_ROWS } from '../../../shared/domain/shard-counts.ts';
import { SHARD_ROW_KEY, shardOf, type Shard } from '../../../shared/domain/shard.ts';
import type { Result } from '../../../shared/domain/result.ts';
import type { DataKey } from '../../../shared/domain/data-key.ts';
import { putCompany } from '../../../shared/operations/companies/companies.ts';
import {
  generateDataKeys,
  type GenerateOutcome,
  type Generating,
} from '../../../shared/operations/data-keys/generate.ts';
import type { NewDataKey } from '../../../shared/operations/data-keys/new-data-keys.ts';
import { purgePartition } from '../../../shared/store/rows/purge-rows.ts';
import { unwrapDataKeys, type UnwrapOutcome } from '../../../shared/operations/data-keys/unwrap.ts';
import type { KeyringMaking } from '../../../shared/operations/keyrings/keyrings.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { singleRequest, type RequestIdentity } from '../../../shared/store/requests.ts';
import type { PurgeSweeping } from '../../../shared/operations/companies/sweep-purges.ts';
import { handleSwitchWork, type WorkDependencies } from '../../../shared/operations/switches/work.ts';
import { startRekey } from '../../../shared/operations/switches/start.ts';
import { ADMIN, actorNamed } from '../../fakes/actors.ts';
import type { FakeTables } from '../../fakes/fake-tables.ts';
import { FaultyTables, type Write } from '../../fakes/faulty-tables.ts';
import { POLICY } from '../../fixtures/policy.ts';
import { TestWorld, type TestHost } from '../../world.ts';

export const COMPANY = 'acme';
export const KEYRING = 'default';
export const PLACE = { companyId: COMPANY, keyringId: KEYRING };
export const TTL_MS = POLICY.keyTtlMs;
export const RESTORE_DAYS = POLICY.restoreDays;
export { DAY_MS } from '../../fixtures/policy.ts';
export { VENDOR } from '../../world.ts';

export type Host = Generating &
  KeyringMaking &
  PurgeSweeping &
  WorkDependencies &
  Pick<TestHost, 'checkQueue' | 'checkPlaces' | 'denials' | 'askedChecks' | 'ownNetwork' | 'restoreDays'>;

export interface WorldOptions {
  readonly shardCount?: number;
  readonly maxDataKeysPerKeyring?: number;
  /** Every call to the store takes a random number of turns, so that others get between. */
  readonly slowStore?: true;
}

export class World extends TestWorld {
  readonly shardCount: number;
  readonly tables: FaultyTables;
  readonly host: Host;
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    super();
    this.#options = options;
    const slow = { seed: 1, faults: { lostBefore: 0, lostAfter: 0, unavailable: 0 } };
    this.tables = new FaultyTables(this.store, options.slowStore ? slow : undefined);
    this.shardCount = options.shardCount ?? 4;
    this.host = this.newHost();
  }

  static async withCompany(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    valueOf(await putCompany(world.host, { companyId: COMPANY }, ADMIN));
    world.vaults.calls.length = 0;
    return world;
  }

  /** A host process of its own: nothing in its caches. */
  newHost(options: { readonly tables?: Tables; readonly cachedRows?: number; readonly isAheadMs?: number } = {}): Host {
    const { tables = this.tables, cachedRows = 0, isAheadMs = 0 } = options;
    const { maxDataKeysPerKeyring } = this.#options;
    const policy = {
      ...POLICY,
      dataKeyCacheRows: cachedRows,
      shardCount: this.shardCount,
      ...(maxDataKeysPerKeyring === undefined ? {} : { maxDataKeysPerKeyring }),
    };
    return this.startHost(policy, { tables, aheadMs: isAheadMs });
  }

  async generate(
    keys: readonly NewDataKey[],
    options: { readonly host?: Host; readonly request?: RequestIdentity } = {},
  ): Promise<GenerateOutcome[]> {
    const request = options.request ?? singleRequest(this.entropy);
    return valueOf(await generateDataKeys(options.host ?? this.host, { ...PLACE, keys, request })).keys;
  }

  async unwrap(keyIds: readonly string[], host: Host = this.host): Promise<UnwrapOutcome[]> {
    return valueOf(await unwrapDataKeys(host, { ...PLACE, keyIds }));
  }

  /** Re-keys to the next company-key version, wholly or until `enough` says so. */
  async rekey(switchId: string, enough?: () => boolean): Promise<void> {
    valueOf(await startRekey(this.host, { ...PLACE, switchId }, actorNamed('test')));
    await this.work(enough);
  }

  async work(enough?: () => boolean): Promise<void> {
    for (let message = this.queue.take(); message; message = this.queue.take()) {
      await handleSwitchWork(this.host, message);
      if (enough?.()) return;
    }
  }

  partitionOf(keyId: string): string {
    return dataKeysPartition({ ...PLACE, shard: shardOf(keyId, this.shardCount) });
  }

  /** The write by which the key's shard turns: of the shard alone. */
  isTurnOf(keyId: string): (write: Write) => boolean {
    return ({ partitionKey, writes }) => partitionKey === this.partitionOf(keyId) && writes.length === 1;
  }

  async row(keyId: string): Promise<DataKey> {
    const row = await this.store.read('datakeys', this.partitionOf(keyId), keyId);
    if (!row) throw new Error(`no row ${keyId}`);
    return readDataKey(keyId, row.cells);
  }

  async shardFor(keyId: string): Promise<Shard> {
    const row = await this.store.read('datakeys', this.partitionOf(keyId), SHARD_ROW_KEY);
    return readShard(row?.cells ?? {});
  }

  /** Writes a row as somebody with access to the tables could. */
  async tamper(keyId: string, change: Partial<DataKey>): Promise<void> {
    const row = await this.store.read('datakeys', this.partitionOf(keyId), keyId);
    this.store.tamper('datakeys', this.partitionOf(keyId), keyId, { ...row?.cells, ...change });
  }

  /** Every shard's counts, held against its rows. */
  expectExactCounts(): void {
    const partitions = new Set<string>();
    for (const { table, partitionKey } of this.store.dump()) if (table === 'datakeys') partitions.add(partitionKey);
    for (const partition of partitions) {
      const rows = [...this.store.dump()].filter((row) => row.table === 'datakeys' && row.partitionKey === partition);
      const shard = readShard(rows.find(({ rowKey }) => rowKey === SHARD_ROW_KEY)?.cells ?? {});
      const keys = rows
        .filter(({ rowKey }) => !rowKey.startsWith('!'))
        .map((row) => readDataKey(row.rowKey, row.cells));
      const { live, deleted, quarantined, lost, at, aside, uncompared } = shard;
      const counts = { live, deleted, quarantined, lost, at, aside, uncompared };
      expect(counts).toEqual(
        countsAfter(
          NO_ROWS,
          keys.map((after) => ({ after })),
        ),
      );
    }
  }
}

export function valueOf<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
  return result.value;
}

export function errorOf<E>(result: Result<unknown, E>): E {
  if (result.ok) throw new Error('was not refused');
  return result.error;
}

/** The entries of the list of what to purge. */
export const rowsToPurge = (store: FakeTables): string[] =>
  [...store.dump()].filter(({ partitionKey }) => partitionKey === purgePartition(PLACE)).map(({ rowKey }) => rowKey);

/** The plaintexts of generated keys by id, copied: their buffers are overwritten by whoever sends them. */
export function plaintextsOf(outcomes: readonly (GenerateOutcome | UnwrapOutcome)[]): Map<string, string> {
  const plaintexts = new Map<string, string>();
  for (const outcome of outcomes) {
    if ('plaintext' in outcome) {
      plaintexts.set(outcome.keyId, Buffer.from(outcome.plaintext).toString('hex'));
    }
  }
  return plaintexts;
}
