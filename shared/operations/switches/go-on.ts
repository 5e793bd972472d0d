// Setting switches going again when what they waited for has come. They go on by themselves, so nobody has to know of them.
import { KEYSWITCH } from '../../domain/audit.ts';
import { isEnded, released, type SwitchPlace } from '../../domain/switch.ts';
import type { Auditing } from '../../store/append.ts';
import { audited } from '../../store/audited.ts';
import { loadSwitch } from '../../store/control-state.ts';
import type { WorkQueue } from '../../domain/ports.ts';
import { settleRaces, undecided } from '../../store/races.ts';
import { ok } from '../../domain/result.ts';
import { enqueue } from './enqueue.ts';
import { actOnSwitch } from './switch-writes.ts';
import { placeOfUser } from '../../store/connection-use.ts';
import { replaceSwitch } from '../../store/control-writes.ts';

interface GoingOn extends Auditing {
  readonly queue: WorkQueue;
}

/** Those among the users of a connection that are switches and wait for consent to it. */
export async function goOnWithConsent(
  deps: GoingOn,
  { companyId, usedBy }: { readonly companyId: string; readonly usedBy: readonly string[] },
): Promise<void> {
  for (const user of usedBy) {
    const place = placeOfUser(companyId, user);
    if (place) await unblock(deps, place);
  }
}

async function unblock(deps: GoingOn, place: SwitchPlace): Promise<void> {
  const act = actOnSwitch('switch.unblocked', place, { code: 'consent-required' });
  const settled = await audited(deps, KEYSWITCH, act, (record) =>
    settleRaces<boolean>(deps, async () => {
      if (await record.landed()) return ok(true);
      const sw = await loadSwitch(deps.tables, place);
      const blocked = sw?.value.blocked;
      const waits = blocked?.reason === 'provider' && blocked.failure.code === 'consent-required';
      if (!sw || isEnded(sw.value.state) || !waits) return ok(false);
      const written = await record.write('companies', place.companyId, [replaceSwitch(sw, released(sw.value))]);
      return written.outcome === 'committed' ? ok(true) : undecided(written);
    }),
  );
  if (settled.ok && settled.value) await enqueue(deps, place, [{ format: 1, kind: 'advance', attempt: 0, ...place }]);
}
