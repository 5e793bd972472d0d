// The company and vault of the tests of connections, with sign-ins at a Microsoft in memory.
import type { AuditRecord } from '../../../shared/domain/audit.ts';
import { listEvents } from '../../../shared/operations/audit/list-events.ts';
import type { ConnectionTestDependencies } from '../../../shared/operations/connections/connection-test.ts';
import type { ConnectionsDependencies } from '../../../shared/operations/connections/connections.ts';
import { EventLimits } from '../../../shared/store/event-limits.ts';
import type { SignInDependencies } from '../../../shared/operations/sign-ins/step.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import { tablesTripping, type Mishap } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, ConnectionWorld } from '../connections/connection-world.ts';
import { Walk } from './walk.ts';

export const LINK_MS = 24 * 3_600_000;
export const STEP_MS = 600_000;

export class SignInWorld extends ConnectionWorld {
  readonly signIns = new FakeSignIns(this.clock);
  readonly #limits = new EventLimits(this.clock);

  override get deps(): ConnectionsDependencies &
    ConnectionTestDependencies &
    SignInDependencies & { readonly signIns: FakeSignIns } {
    return {
      ...super.deps,
      eventLimits: this.#limits,
      signIns: this.signIns,
      queue: this.queue,
      verificationMs: LINK_MS,
      signInTimes: { linkMs: LINK_MS, stepMs: STEP_MS },
    };
  }

  get walk(): Walk {
    return new Walk(this.deps);
  }

  /** The next write of a row under `prefix` comes to grief. */
  trip(prefix: string, mishap: Mishap, meanwhile?: () => void | Promise<void>): void {
    const tripping = tablesTripping(this.tables, prefix, { mishap, ...(meanwhile ? { meanwhile } : {}) });
    this.tables.write = (...call) => tripping.write(...call);
  }

  /** Every event, in order, with what it tells beside. */
  get records(): readonly (Pick<AuditRecord, 'action' | 'target' | 'outcome' | 'by'> & { readonly told: unknown })[] {
    return chainOf(this.store, COMPANY).map(({ action, target, outcome, by, detail }) => ({
      action,
      target,
      outcome,
      by,
      told: JSON.parse(detail) as unknown,
    }));
  }

  /** `action:outcome:code` of every event, in order; the code where there is one. */
  async events(): Promise<readonly string[]> {
    const page = await listEvents(this.deps, { companyId: COMPANY, limit: 1000 });
    if (!page.ok) throw new Error('no events');
    return page.value.records.map(({ action, outcome, detail }) => {
      const { code } = JSON.parse(detail) as { code?: string };
      return [action, outcome, ...(code === undefined ? [] : [code])].join(':');
    });
  }
}
