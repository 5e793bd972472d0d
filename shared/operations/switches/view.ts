// A switch as people see it: exact counts, rate, time left and what it waits for. Reads only.
import type { Keyring } from '../../domain/keyring.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { isResourceId } from '../../domain/ids.ts';
import { present } from '../../domain/plain-object.ts';
import { switchesOf } from '../../store/rows/switch-rows.ts';
import { listPage } from '../../store/found.ts';
import { progressOf, type Progress } from '../../domain/progress.ts';
import type { Shard } from '../../domain/shard.ts';
import { next } from '../../domain/switch-machine.ts';
import { isEnded, isRunning, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import type { TenantRef } from '../../domain/tenant.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import { loadShards } from '../../store/shard-rows.ts';
import { nameQuarantined, type QuarantinedRow } from './name-quarantined.ts';
import { lastMove } from './messages.ts';
import { tenantsOf, tenantsThatHold, type TenantReading } from './gate.ts';

export type ViewDependencies = TenantReading;

export interface SwitchView extends Switch {
  readonly progress: Progress;
  /** The first quarantined rows by name; `progress.quarantined` is their exact number. */
  readonly quarantine: readonly QuarantinedRow[];
  /** All tenants whose administrators must agree before it can go on, or end. */
  readonly unverifiedTenants: readonly TenantRef[];
  /**
   * Present while the switch stands still without a failure. `worker`: for a minute no worker has done anything, and nothing says why: its messages do
   * not arrive, or the workers are busy with others.
   */
  readonly waitsFor?: 'company-admin' | 'tenants' | 'worker';
  /** When it last moved, if it waits for a worker. ISO 8601. */
  readonly idleSince?: string;
}

export async function getSwitch(deps: ViewDependencies, place: SwitchPlace): Promise<Result<SwitchView, Refusal>> {
  const [keyring, sw] = await Promise.all([loadKeyring(deps.tables, place), loadSwitch(deps.tables, place)]);
  if (!keyring || !sw) return err(notFound('switch', place.switchId));
  return ok(await viewOf(deps, place.companyId, keyring.value, sw.value));
}

interface SwitchPage {
  readonly views: readonly SwitchView[];
  /** The last id of the page, if there may be more. */
  readonly continuation?: string;
}

/** A page of a keyring's switches in the order of their ids. Ended ones stay, so there may be many. */
export async function listSwitches(
  deps: ViewDependencies,
  query: {
    readonly companyId: string;
    readonly keyringId: string;
    readonly limit: number;
    readonly continuation?: string;
  },
): Promise<Result<SwitchPage, Refusal>> {
  const { companyId, keyringId, limit, continuation } = query;
  if (continuation !== undefined && !isResourceId(continuation)) {
    return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this list.' });
  }
  const keyring = await loadKeyring(deps.tables, query);
  if (!keyring) return err(notFound('keyring', keyringId));
  const after = continuation === undefined ? undefined : { companyId, keyringId, switchId: continuation };
  const page = await listPage(deps.tables, switchesOf, query, { limit, ...present({ after }) });
  const switches = page.rows.map(({ value }) => value);
  const views = await Promise.all(switches.map((sw) => viewOf(deps, companyId, keyring.value, sw)));
  return ok({ views, ...present({ continuation: page.last?.switchId }) });
}

async function viewOf(deps: ViewDependencies, companyId: string, keyring: Keyring, sw: Switch): Promise<SwitchView> {
  const place = { companyId, keyringId: keyring.keyringId, shardCount: keyring.shardCount };
  const loaded = isEnded(sw.state) ? [] : await loadShards(deps.tables, place);
  const shards = loaded.flatMap((shard) => (shard ? [shard.value] : []));
  const progress = progressOf(sw, shards, deps.clock.now());
  const held = await tenantsThatHold(deps, { companyId, sw });
  // If verifications cannot be checked, show every tenant as unverified: the switch stops for the same reason.
  const unverified = held.ok ? held.value : await tenantsOf(deps.tables, { companyId, sw });
  return {
    ...sw,
    progress,
    quarantine: await nameQuarantined(deps.tables, place, shards),
    unverifiedTenants: unverified.map(({ kind, tenantId }) => ({ kind, tenantId })),
    ...waitingOf(sw, {
      shards: loaded.map((shard) => shard?.value),
      tenants: held.ok ? held.value.length : undefined,
      now: deps.clock.now(),
    }),
  };
}

const IDLE_MS = 60_000;

function waitingOf(
  sw: Switch,
  found: {
    readonly shards: readonly (Shard | undefined)[];
    /** Undefined if verifications cannot be checked. */
    readonly tenants: number | undefined;
    readonly now: Date;
  },
): Pick<SwitchView, 'waitsFor' | 'idleSince'> {
  const { shards, tenants, now } = found;
  // A pause is shown beside what it waits for. The rows need no seal check: a view sends nothing.
  const then = next({ ...sw, paused: false }, { seal: 'good', rows: 'read', shards, ...present({ tenants }) });
  if (then.type === 'wait' && (then.for === 'company-admin' || then.for === 'tenants')) return { waitsFor: then.for };
  if (then.type === 'wait' || then.type === 'ended' || sw.paused || sw.trouble) return {};
  const at = isRunning(sw) ? shards.flatMap((shard) => (shard ? [lastMove(sw, shard)] : [])) : [sw.createdAt];
  const idleSince = at.reduce((last, one) => (one > last ? one : last), '');
  return now.getTime() - Date.parse(idleSince) >= IDLE_MS ? { waitsFor: 'worker', idleSince } : {};
}
