// Notes on a switch's row a failure that may pass, so that its admins see what it waits for, since when, and when the next attempt is. Of all workers that
// meet it one writes, no more often than it tries. Decides nothing, so a lost race is harmless.
import { act, actOnce, changeOnce } from '../../store/act.ts';
import { connectionRow } from '../../store/rows/sealed-rows.ts';
import { switchRow } from '../../store/rows/switch-rows.ts';
import { KEYSWITCH } from '../../domain/audit.ts';
import { grantOf } from '../../domain/connection.ts';
import { ok } from '../../domain/result.ts';
import type { Auditing } from '../../store/append.ts';
import { placeOfUser } from '../../store/connection-use.ts';
import { enqueue } from './messages.ts';
import { actOnSwitch } from './switch-writes.ts';
import type { Failure } from '../../domain/failure.ts';
import { present } from '../../domain/plain-object.ts';
import { isEnded, released, withoutTrouble, type Blocked, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import { loadSwitch } from '../../store/control-state.ts';
import { find } from '../../store/found.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock, WorkQueue } from '../../domain/ports.ts';

interface Deps {
  readonly tables: Tables;
  readonly clock: Clock;
}

interface Met {
  /** The switch's generation when the worker met the failure. */
  readonly generation: number;
  readonly side?: 'source' | 'target';
  readonly shard?: number;
  readonly failure: Failure;
  /** Undefined if the timer makes the next attempt. */
  readonly nextTryAt?: string;
}

/**
 * Whether another shard's worker already makes the same attempt, no later than this one would; when it gets on, it resumes the others. Of many messages
 * for a vault that does not answer, one is enough.
 */
export const triesElsewhere = (
  sw: Switch,
  { shard, now }: { readonly shard: number | undefined; readonly now: string },
): boolean => {
  const { trouble } = sw;
  if (trouble?.side === undefined || trouble.shard === undefined || shard === undefined) return false;
  return trouble.shard !== shard && (trouble.nextTryAt ?? '') > now;
};

/** Answers whether the worker should try again. Throws StoreUnavailable. */
export async function noteTrouble(deps: Deps, place: SwitchPlace, met: Met): Promise<boolean> {
  const sw = await loadSwitch(deps.tables, place);
  if (!sw || isEnded(sw.value.state) || sw.value.generation !== met.generation || sw.value.blocked) return true;
  const { generation: _turn, ...trouble } = met;
  const now = deps.clock.now().toISOString();
  const { trouble: known } = sw.value;
  const isSame = known?.failure.code === met.failure.code && known.side === met.side;
  // Another worker has noted it already, and this one tries no later.
  if (isSame && (known.nextTryAt ?? '') > now) return !triesElsewhere(sw.value, { shard: met.shard, now });
  if (isSame && known.nextTryAt === undefined && met.nextTryAt === undefined) return true;
  const next: Switch = {
    ...sw.value,
    trouble: { ...present(trouble), failure: met.failure, since: isSame ? known.since : now },
  };
  await changeOnce(deps, (tx) => tx.replace(sw, next));
  return true;
}

/** Clears the note when the shard that met the failure has gone on. */
export async function endTrouble(deps: Pick<Deps, 'tables'>, place: SwitchPlace, shard: number): Promise<void> {
  const sw = await loadSwitch(deps.tables, place);
  if (sw?.value.trouble?.shard !== shard || isEnded(sw.value.state)) return;
  await changeOnce(deps, (tx) => tx.replace(sw, withoutTrouble(sw.value)));
}

/**
 * Blocks a switch, if it is still in the generation that met the problem. A lost race is harmless: the worker that goes on meets the same
 * problem again.
 */
export async function blockSwitch(
  deps: Auditing,
  place: SwitchPlace,
  wait: { readonly generation: number; readonly blocked: Blocked },
): Promise<void> {
  const sw = await loadSwitch(deps.tables, place);
  if (!sw || isEnded(sw.value.state) || sw.value.generation !== wait.generation || sw.value.blocked) return;
  const { blocked } = wait;
  const { reason } = blocked;
  const detail =
    blocked.reason === 'provider' || blocked.reason === 'key-not-kept'
      ? { reason, side: blocked.side, code: blocked.failure.code }
      : blocked.reason === 'counts-differ'
        ? { reason, counts: blocked.failure.facts.detail }
        : { reason };
  const about = { actor: KEYSWITCH, ...actOnSwitch('switch.blocked', place, detail) };
  await actOnce(deps, about, (tx) => tx.replace(sw, { ...withoutTrouble(sw.value), blocked }));
}

interface GoingOn extends Auditing {
  readonly queue: WorkQueue;
}

/** Resumes those users of a connection that are switches and wait for consent to it. */
export async function goOnWithConsent(
  deps: GoingOn,
  { companyId, usedBy }: { readonly companyId: string; readonly usedBy: readonly string[] },
): Promise<void> {
  for (const user of usedBy) {
    const place = placeOfUser(companyId, user);
    if (place) await unblock(deps, place);
  }
}

/** The same of one switch, by the timer: the process that took the consent may have died. A consent from before it was blocked did not do, and does not now. */
export async function goOnIfConsented(deps: GoingOn, place: SwitchPlace, sw: Switch): Promise<boolean> {
  const { blocked } = sw;
  if (!waitsForConsent(sw) || blocked?.reason !== 'provider') return false;
  const { since, side } = blocked;
  const { connectionId } = sw[side];
  if (connectionId === undefined) return false;
  const connection = (await find(deps.tables, connectionRow, { ...place, connectionId }))?.value;
  const consentedAt = connection && grantOf(connection).consentedAt;
  return consentedAt !== undefined && consentedAt >= since && unblock(deps, place);
}

const waitsForConsent = ({ state, blocked }: Switch): boolean =>
  !isEnded(state) && blocked?.reason === 'provider' && blocked.failure.code === 'consent-required';

async function unblock(deps: GoingOn, place: SwitchPlace): Promise<boolean> {
  const about = { actor: KEYSWITCH, ...actOnSwitch('switch.unblocked', place, { code: 'consent-required' }) };
  const unblocked = await act<boolean>(deps, about, async (tx) => {
    const sw = await tx.find(switchRow, place);
    if (!sw || !waitsForConsent(sw.value)) return ok(false);
    tx.replace(sw, released(sw.value));
    return ok(true);
  });
  if (!unblocked.ok || !unblocked.value) return false;
  await enqueue(deps, place, [{ format: 1, kind: 'advance', attempt: 0, ...place }]);
  return true;
}
