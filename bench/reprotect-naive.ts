// The whole product, hosts, queue and tables, on vaults with real latency and Azure's real limits, against what one would write
// first: unwrapKey and wrapKey for every data key, 32 at once, each row written by itself. Seconds; ours divides theirs.
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys';
import { TableClient } from '@azure/data-tables';
import { MANAGED_IDENTITY_PRINCIPAL_ID, VENDOR_TENANT_ID, VENDOR_VAULT_HOST } from '../local/identities.ts';
import pLimit from 'p-limit';
import { azure, Company, MANAGED } from '../test/end-to-end/company.ts';
import { beginRun, type Run } from '../test/end-to-end/run.ts';
import { buildApp } from '../scripts/build-bundle.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { runPairs } from './harness/pairs.ts';
import { Report } from './harness/report.ts';
import { TABLES_ENDPOINT } from './tables-service.ts';
import { orderSwitch, untilCompleted } from './until-completed.ts';

const KEYS = 10_000;
const LATENCY_MS = 55;
const IN_FLIGHT = 32;
const REAL_VAULT = { latencyMs: LATENCY_MS, throttleScale: 1 };
const KEY_NAME = 'naive';
const SOURCE_HOST = 'naive-source.vault.azure.net';
const TARGET_HOST = 'naive-target.vault.azure.net';
const PARTITION = 'naive';

/** Invariant 8 of docs/simulation.md: at most six of each vault, and three more for every process; the seal key's signatures are counted apart. */
const MOST_VAULT_CALLS = 2 * (6 + 3);

export async function reprotectNaive(options: BenchOptions): Promise<boolean> {
  const keys = options.keys ?? sized(KEYS, options);
  const report = new Report('reprotect-naive', options, { keys, latencyMs: LATENCY_MS, inFlight: IN_FLIGHT });
  const run = await beginRun(
    { bundleDir: await buildApp() },
    { settings: { KEYSWITCH_SHARD_COUNT: '16', KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '300' } },
  );
  const { contoso } = run.environment.customers;
  const company = await Company.create(run, 'contoso', keys);
  await company.connect(contoso, { id: 'own', keyName: 'bench' });
  const naive = await Naive.create(run, keys);
  for (const host of [VENDOR_VAULT_HOST, contoso.vaultHost]) {
    await run.environment.keyVault.call('PATCH', `/vaults/${host}`, REAL_VAULT);
  }
  let switches = 0;
  const vaultCalls: number[] = [];
  const measured = await runPairs({
    pairs: options.pairs,
    a: () => naive.moveAll(),
    b: async () => {
      switches += 1;
      await run.environment.keyVault.clearRequests();
      const begun = performance.now();
      await orderSwitch(company, `switch-${switches}`, switches % 2 === 1 ? azure('own') : MANAGED);
      await untilCompleted(company, `switch-${switches}`);
      const seconds = (performance.now() - begun) / 1000;
      vaultCalls.push(await authorizedCalls(run));
      return seconds;
    },
  });
  await run.close();
  report.pairs({ what: 'time', names: ['naive', 'ours'], unit: 's', measured });
  report.value({ what: 'naive: vault calls', value: naive.calls / (options.pairs + 1), unit: '' });
  const most = Math.max(...vaultCalls);
  report.value({
    what: 'ours: vault calls, both vaults',
    value: most,
    unit: '',
    goal: { atMost: MOST_VAULT_CALLS },
    raw: vaultCalls,
  });
  return report.save();
}

/** Calls of a key that were let in, without the signatures of the seal key. */
async function authorizedCalls(run: Run): Promise<number> {
  const records = await run.environment.keyVault.requests();
  return records.filter(({ operation, status }) => status !== 401 && operation !== 'sign').length;
}

class Naive {
  readonly #from: CryptographyClient;
  readonly #to: CryptographyClient;
  readonly #table: TableClient;
  #wrapped: Uint8Array[];
  calls = 0;

  private constructor(from: CryptographyClient, to: CryptographyClient, table: TableClient, wrapped: Uint8Array[]) {
    this.#from = from;
    this.#to = to;
    this.#table = table;
    this.#wrapped = wrapped;
  }

  static async create(run: Run, keys: number): Promise<Naive> {
    const { keyVault } = run.environment;
    const clients: CryptographyClient[] = [];
    for (const host of [SOURCE_HOST, TARGET_HOST]) {
      await keyVault.call('POST', '/vaults', { host, tenantId: VENDOR_TENANT_ID });
      await keyVault.call('POST', `/vaults/${host}/keys`, { name: KEY_NAME });
      const grant = { principalId: MANAGED_IDENTITY_PRINCIPAL_ID, role: 'Key Vault Crypto User' };
      await keyVault.call('PUT', `/vaults/${host}/role-assignments/naive`, grant);
      const { id } = await new KeyClient(`https://${host}`, run.credential).getKey(KEY_NAME);
      clients.push(new CryptographyClient(id ?? '', run.credential));
    }
    const [from, to] = clients;
    if (!from || !to) throw new Error('no clients');
    const table = new TableClient(TABLES_ENDPOINT, 'datakeys', run.credential);
    const { result } = await from.wrapKey('RSA-OAEP-256', Buffer.alloc(32, 7));
    for (const host of [SOURCE_HOST, TARGET_HOST]) await keyVault.call('PATCH', `/vaults/${host}`, REAL_VAULT);
    return new Naive(
      from,
      to,
      table,
      Array.from({ length: keys }, () => result),
    );
  }

  /** Seconds for all keys, once. */
  async moveAll(): Promise<number> {
    const begun = performance.now();
    await pLimit(IN_FLIGHT).map(this.#wrapped, (wrapped, index) => this.#move(wrapped, index));
    return (performance.now() - begun) / 1000;
  }

  async #move(wrapped: Uint8Array, index: number): Promise<void> {
    const { result: plaintext } = await this.#from.unwrapKey('RSA-OAEP-256', wrapped);
    const { result: blob } = await this.#to.wrapKey('RSA-OAEP-256', plaintext);
    this.calls += 2;
    await this.#table.upsertEntity({ partitionKey: PARTITION, rowKey: `key-${index}`, blob }, 'Merge');
  }
}
