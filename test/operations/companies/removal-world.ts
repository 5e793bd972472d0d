// A company of one shard of which it is decided that it goes: closing, its shard closed, no key in use. Rows are planted, so that a test
// has only those that it is about.
import type { DataKey } from '../../../shared/domain/data-key.ts';
import type { Company, Keyring } from '../../../shared/domain/keyring.ts';
import { companyCells } from '../../../shared/store/rows/company-rows.ts';
import { shardCells } from '../../../shared/store/rows/data-rows.ts';
import { CLAIM_ROW_KEY, COMPANY_ROW_KEY, dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { connectionCells } from '../../../shared/store/rows/sealed-rows.ts';
import { countsAfter, NO_ROWS } from '../../../shared/domain/shard-counts.ts';
import { SHARD_ROW_KEY, type Shard } from '../../../shared/domain/shard.ts';
import { loadCompany, type Loaded } from '../../../shared/store/control-state.ts';
import { purgePartition } from '../../../shared/store/rows/purge-rows.ts';
import { loadKeyrings } from '../../../shared/operations/keyrings/keyrings.ts';
import type { Cells, TableName, Tables } from '../../../shared/store/tables.ts';
import type { Removal } from '../../../shared/operations/companies/empty-shard.ts';
import { removeCompany } from '../../../shared/operations/companies/remove-company.ts';
import { loadShard } from '../../../shared/store/shard-rows.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { COMPANY, PLACE, World } from '../data-keys/world.ts';

const SHARD_PLACE = { ...PLACE, shard: 0 };
export const SHARD = dataKeysPartition(SHARD_PLACE);
export const PURGE_LIST = purgePartition(PLACE);
const CLAIM = { host: 'contoso.vault.azure.net', keyName: 'main-key' };
const CONNECTION = {
  ...CLAIM,
  provider: 'azure-key-vault',
  connectionId: 'main',
  credential: { kind: 'federated', clientId: 'app' },
  seal: { keyVersion: '1', signature: 'none' },
  usedBy: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  keySeen: true,
} as const;
const DECIDED = { decided: true, worker: '', until: '' } as const;
const MINUTE_MS = 60_000;

export class RemovalWorld {
  readonly world: World;
  readonly company: Company;
  readonly keyrings: readonly Loaded<Keyring>[];

  private constructor(world: World, company: Company, keyrings: readonly Loaded<Keyring>[]) {
    this.world = world;
    this.company = company;
    this.keyrings = keyrings;
  }

  static async decided(): Promise<RemovalWorld> {
    const world = await World.withCompany({ shardCount: 1 });
    const { value } = (await loadCompany(world.store, COMPANY))!;
    const decided = new RemovalWorld(
      world,
      { ...value, state: 'closing', closing: DECIDED },
      await loadKeyrings(world.store, COMPANY),
    );
    decided.companyIsNow({});
    await decided.shardIsNow({ closed: true });
    return decided;
  }

  /** By the call of a worker that read the company and its keyrings when this world began. */
  remove(
    tables: Tables = this.world.tables,
    { keyrings } = this as Pick<RemovalWorld, 'keyrings'>,
    budgetMs = MINUTE_MS,
  ): Promise<Removal> {
    const deadline = new Date(this.world.clock.now().getTime() + budgetMs);
    return removeCompany({ ...this.world.host, tables }, { companyId: COMPANY, keyrings, deadline });
  }

  companyIsNow(change: Partial<Company>): void {
    this.plant('companies', COMPANY, COMPANY_ROW_KEY, companyCells({ ...this.company, ...change }));
  }

  async shardIsNow(change: Partial<Shard>): Promise<void> {
    const shard = (await loadShard(this.world.store, SHARD_PLACE))!.value;
    this.plant('datakeys', SHARD, SHARD_ROW_KEY, shardCells({ ...shard, ...change }, 'somebody'));
  }

  plant(table: TableName, partitionKey: string, rowKey: string, cells: Cells = { format: 1 }): void {
    this.world.store.tamper(table, partitionKey, rowKey, cells);
  }

  /** So many rows whose keys are numbered behind a prefix. */
  plantMany(count: number, table: TableName, partitionKey: string, prefix: string): void {
    for (let index = 0; index < count; index += 1) {
      this.plant(table, partitionKey, `${prefix}${String(index).padStart(4, '0')}`);
    }
  }

  /** Data keys that are not in use, and a shard that counts them. */
  async plantKeys(
    keys: readonly (Pick<DataKey, 'state' | 'companyKeyVersion'> & Partial<Pick<DataKey, 'purgeAfter'>>)[],
  ): Promise<void> {
    for (const [index, key] of keys.entries()) {
      this.plant('datakeys', SHARD, `key-${String(index).padStart(4, '0')}`, { format: 1, ...key });
    }
    const moves = keys.map((key) => ({ after: { ...key, previous: new Uint8Array(0) } }));
    await this.shardIsNow(countsAfter(NO_ROWS, moves));
  }

  /** A connection of the company, and its claim to the vault key behind it. */
  plantConnection(): void {
    this.plant('companies', COMPANY, 'connection|main', connectionCells(CONNECTION));
    this.plant('vaultkeys', `${CLAIM.host}|${CLAIM.keyName}`, CLAIM_ROW_KEY, { companyId: COMPANY });
  }

  takeAway(table: TableName, partitionKey: string, rowKey: string): Promise<unknown> {
    const { store } = this.world;
    const { etag } = store.peek(table, partitionKey, rowKey)!;
    return store.write(table, partitionKey, [{ kind: 'delete', rowKey, etag }]);
  }

  /** The store at which `meanwhile` happens once, after a list of `table` was read and before its reader has it. */
  afterListing(table: TableName, meanwhile: () => void | Promise<void>): Tables {
    const { store } = this.world;
    let isDone = false;
    return tablesBut(store, {
      list: async (query) => {
        const page = await store.list(query);
        if (!isDone && query.table === table && page.rows.length > 0) await meanwhile();
        isDone ||= query.table === table && page.rows.length > 0;
        return page;
      },
    });
  }

  /** Every row that is stored, but for the record and what is noted for the timer. */
  rows(): string[] {
    // How companies stand is told by an index, which a call of deleteCompany keeps.
    const notOfTheRecord = /^(events|agenda|health\/_companies)\/(?!purge\|)/;
    return [...this.world.store.dump()]
      .map(({ table, partitionKey, rowKey }) => `${table}/${partitionKey}/${rowKey}`)
      .filter((row) => row.startsWith(`agenda/${PURGE_LIST}`) || !notOfTheRecord.test(row))
      .sort();
  }

  /** What stays of a company that is gone. */
  static readonly REMAINS = [`companies/_system/company|${COMPANY}`, `companies/${COMPANY}/${COMPANY_ROW_KEY}`];
}
