// Looks at every transaction for the events that it carries: is each change of a switch's state recorded with it, and in the end is each
// event that was committed in the chain, once, and the chain as it was written.
import { readSwitch } from '../../shared/store/rows/switch-rows.ts';
import { readMarker, readRecord } from '../../shared/store/rows/audit-rows.ts';
import { MARKER_PREFIX, OUTBOX_PREFIX, SHARD_OUTBOX_PREFIX } from '../../shared/store/rows/row-keys.ts';
import { verifyEvents } from '../../shared/operations/audit/verify-events.ts';
import type { RowWrite } from '../../shared/store/tables.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import type { FakeVaults } from '../fakes/fake-vaults.ts';
import { COMPANY } from '../operations/switches/rig.ts';
import type { History } from './history.ts';

const CHAINS = [COMPANY, '_system'] as const;
const SILENT = { write: () => undefined };

export class AuditCheck {
  readonly #store: FakeTables;
  readonly #vaults: FakeVaults;
  readonly #history: History;
  readonly #events = new Set<string>();
  readonly #states = new Map<string, string>();

  constructor(store: FakeTables, vaults: FakeVaults, history: History) {
    this.#store = store;
    this.#vaults = vaults;
    this.#history = history;
  }

  /** Called with each transaction that was committed. */
  written(writes: readonly RowWrite[]): void {
    const events = writes.flatMap(({ kind, rowKey }) => (kind === 'insert' && isOutbox(rowKey) ? [idOf(rowKey)] : []));
    for (const id of events) this.#events.add(id);
    for (const write of writes) {
      if (write.kind === 'delete' || !write.rowKey.startsWith('switch|') || !('state' in write.cells)) continue;
      const { state } = readSwitch(write.cells);
      const isNew = this.#states.get(write.rowKey) !== state;
      this.#states.set(write.rowKey, state);
      if (isNew && state !== 'preparing' && events.length === 0) {
        this.#history.broken('11', `${write.rowKey} became ${state}, and nothing was recorded`);
      }
    }
  }

  /** When everything is over: straight from the store. */
  async inTheEnd(): Promise<void> {
    const rows = [...this.#store.dump()];
    const waiting = rows.filter(({ table, rowKey }) => table !== 'agenda' && isOutbox(rowKey));
    if (waiting.length > 0) this.#history.broken('11', `${waiting.length} events never reached their chain`);
    const recorded = rows.flatMap(({ table, rowKey, partitionKey, cells }) =>
      table === 'events' && /^\d/.test(rowKey) ? [readRecord(cells, partitionKey)?.id ?? 'unreadable'] : [],
    );
    const marked = rows.filter(({ table, rowKey }) => table === 'events' && rowKey.startsWith(MARKER_PREFIX));
    const ids = (list: readonly string[]): string => JSON.stringify([...list].sort());
    if (ids(recorded) !== ids([...this.#events])) {
      this.#history.broken('11', `${this.#events.size} events were committed, and ${recorded.length} are recorded`);
    }
    if (ids(marked.map(({ rowKey, cells }) => readMarker(rowKey, cells).id)) !== ids(recorded)) {
      this.#history.broken('11', 'other events are marked than are recorded');
    }
    for (const companyId of CHAINS) {
      const deps = { tables: this.#store, sealer: this.#vaults, log: SILENT };
      const report = await verifyEvents(deps, { companyId });
      const problems = report.ok ? report.value.problems : [report.error];
      if (problems.length > 0) this.#history.broken('11', `the chain of ${companyId}: ${JSON.stringify(problems)}`);
    }
  }
}

const isOutbox = (rowKey: string): boolean =>
  rowKey.startsWith(OUTBOX_PREFIX) || rowKey.startsWith(SHARD_OUTBOX_PREFIX);

const idOf = (rowKey: string): string => rowKey.slice(rowKey.indexOf('|') + 1);
