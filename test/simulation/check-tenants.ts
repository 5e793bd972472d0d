// Looks at every write of a switch as it is committed: does it begin its work, or complete, while a tenant that is registered at that very
// moment lacks a verification for exactly this switch and the vault key that it leads to; and is a verification ever taken away.
import { approvalKey, destinationDigest } from '../../shared/domain/approval.ts';
import { targetOfConnection } from '../../shared/domain/connection.ts';
import type { ProviderRef } from '../../shared/domain/provider.ts';
import { text } from '../../shared/store/rows/cells.ts';
import { readSwitch } from '../../shared/store/rows/switch-rows.ts';
import { connectionRowKey, TENANT_PREFIX, verificationRowKey } from '../../shared/store/rows/row-keys.ts';
import { readConnection } from '../../shared/store/rows/sealed-rows.ts';
import { readTenant } from '../../shared/store/rows/tenant-rows.ts';
import type { Switch, SwitchState } from '../../shared/domain/switch.ts';
import type { RowWrite } from '../../shared/store/tables.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import { COMPANY, VENDOR } from '../operations/switches/rig.ts';
import type { History } from './history.ts';

export class TenantCheck {
  readonly #store: FakeTables;
  readonly #history: History;
  readonly #states = new Map<string, SwitchState>();

  constructor(store: FakeTables, history: History) {
    this.#store = store;
    this.#history = history;
  }

  /** Called with each transaction on the company's partition that was committed. */
  written(writes: readonly RowWrite[]): void {
    for (const { kind, rowKey } of writes) {
      if (kind === 'delete' && rowKey.startsWith('verification|'))
        this.#history.broken('12', `${rowKey} was taken away`);
      const row = rowKey.startsWith('switch|') ? this.#store.peek('companies', COMPANY, rowKey) : undefined;
      if (row) this.#switchWritten(rowKey, readSwitch(row.cells));
    }
  }

  #switchWritten(rowKey: string, sw: Switch): void {
    const isNew = this.#states.get(rowKey) !== sw.state;
    this.#states.set(rowKey, sw.state);
    if (!isNew || sw.kind === 'rekey' || (sw.state !== 'preparing' && sw.state !== 'completed')) return;
    const approval = approvalKey({ for: 'switch', keyringId: sw.keyringId, switchId: sw.switchId });
    const leadsTo = this.#digestOf(sw.target);
    for (const { table, rowKey: tenant, cells } of this.#store.dump()) {
      if (table !== 'companies' || !tenant.startsWith(TENANT_PREFIX)) continue;
      const agreed = this.#store.peek('companies', COMPANY, verificationRowKey(approval, readTenant(cells, tenant)));
      if (!agreed || text(agreed.cells, 'destination') !== leadsTo) {
        this.#history.broken('12', `${rowKey} is ${sw.state}, and ${tenant} has not agreed`);
      }
    }
  }

  #digestOf(ref: ProviderRef): string | undefined {
    const { connectionId } = ref;
    if (connectionId === undefined) return destinationDigest(VENDOR);
    const row = this.#store.peek('companies', COMPANY, connectionRowKey(connectionId));
    const connection = row && readConnection(row.cells, { companyId: COMPANY, connectionId });
    const target = connection && targetOfConnection(connection);
    return target && destinationDigest(target);
  }
}
