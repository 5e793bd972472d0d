// One company with a vault, and all that the operations on its connections need, in memory.
import type { ConnectionInput } from '../../../shared/providers/provider.ts';
import type { Company } from '../../../shared/domain/keyring.ts';
import { COMPANY_ROW_KEY, connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { ConnectionTestDependencies } from '../../../shared/operations/connections/connection-test.ts';
import { putConnection, type ConnectionsDependencies } from '../../../shared/operations/connections/connections.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import type { LogEntry } from '../../../shared/domain/ports.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeClock } from '../../fakes/fake-system.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { consentTo } from '../../fixtures/consented-connection.ts';
import { POLICY } from '../../fixtures/policy.ts';
import { sealedCompanyCells } from '../../fixtures/sealed-company.ts';
import { TestWorld } from '../../world.ts';

export const COMPANY = 'acme';
export const CONNECTION = 'main';
export const PLACE = { companyId: COMPANY, connectionId: CONNECTION };
export const HOST = 'contoso.vault.azure.net';
export const OTHER_HOST = 'fabrikam.vault.azure.net';
export const VENDOR_HOST = 'keyswitch-vendor.vault.azure.net';
export const TENANT = '11111111-0000-4000-8000-000000000001';
export const OTHER_TENANT = '99999999-0000-4000-8000-000000000009';
export const VENDOR_TENANT = '77777777-0000-4000-8000-000000000007';
export const INPUT: ConnectionInput = {
  vaultUri: `https://${HOST}`,
  keyName: 'main-key',
  credential: { kind: 'federated' },
};
const START = '2026-06-01T00:00:00Z';
export const PROPAGATION_MS = 600_000;

const VENDOR = {
  ref: { provider: 'managed' },
  host: VENDOR_HOST,
  keyName: 'keyswitch-kek',
  tenantId: VENDOR_TENANT,
} as const;

export class ConnectionWorld extends TestWorld {
  readonly tables = new FaultyTables(this.store);

  constructor() {
    super({ clock: new FakeClock(START), vendor: VENDOR });
    this.companyIsNow('active');
    this.vaults.addVault({ host: HOST, tenantId: TENANT });
    this.vaults.addKey({ host: HOST, keyName: 'main-key' });
  }

  get nowMs(): number {
    return this.clock.now().getTime();
  }

  set nowMs(ms: number) {
    this.clock.advanceTo(ms);
  }

  get logged(): LogEntry[] {
    return this.log.entries;
  }

  companyIsNow(state: Company['state']): void {
    const company: Company = {
      companyId: COMPANY,
      displayName: 'Acme',
      defaultKeyring: 'default',
      state,
      createdAt: '2026-01-01T00:00:00Z',
    };
    this.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, sealedCompanyCells(this.vaults, company));
  }

  /** A host process of its own: nothing in its caches. */
  get deps(): ConnectionsDependencies & ConnectionTestDependencies {
    return this.startHost({ ...POLICY, keyPolicy: { propagationMs: PROPAGATION_MS } }, { tables: this.tables });
  }

  async put(change: Partial<ConnectionInput> = {}): ReturnType<typeof putConnection> {
    return putConnection(this.deps, { ...PLACE, input: { ...INPUT, ...change }, condition: {} }, ADMIN);
  }

  /** An administrator of the tenant consents to the connection as it stands, now. */
  async consent(tenantId: string = TENANT): Promise<void> {
    const put: Parameters<typeof consentTo>[0]['put'] = ({ table, partitionKey, rowKey, cells }) =>
      this.store.tamper(table, partitionKey, rowKey, cells);
    const deps = { tables: this.tables, sealer: this.vaults, put };
    await consentTo(deps, { ...PLACE, tenantId, at: new Date(this.nowMs).toISOString() });
  }

  async cells(): Promise<Cells> {
    return (await this.tables.read('companies', COMPANY, connectionRowKey(CONNECTION)))?.cells ?? {};
  }

  /** Changes cells behind the product's back, as an attacker with access to the tables could. */
  async tamper(change: Cells): Promise<void> {
    this.store.tamper('companies', COMPANY, connectionRowKey(CONNECTION), { ...(await this.cells()), ...change });
  }
}
