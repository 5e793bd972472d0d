// Checks a customer's vault as it is used: reads the version in use and unwraps the real company key with it, two calls. The result only goes into the
// tables, where the API shows the state, since when, and who has to act.
import { KEYSWITCH } from '../../domain/audit.ts';
import { isInForce, targetOfConnection, type Connection, type ConnectionPlace } from '../../domain/connection.ts';
import { asWarning, isRevocation, type Failure } from '../../domain/failure.ts';
import type { KeyTarget } from '../../domain/provider.ts';
import { present } from '../../domain/plain-object.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { CheckQueue } from '../../domain/ports.ts';
import { act } from '../../store/act.ts';
import { find, type Found } from '../../store/found.ts';
import { healthChangeRow, healthRow } from '../../store/rows/health-rows.ts';
import { keepStanding } from '../../store/standings.ts';
import { connectionRow } from '../../store/rows/sealed-rows.ts';
import {
  afterLook,
  awaitsConfirmation,
  hasChanged,
  isNews,
  isWell,
  type Look,
  type VaultHealth,
  type VaultState,
} from '../../domain/health.ts';
import { versionsToRead } from '../../domain/key-versions.ts';
import { takeOffAgenda, type ListedAgendaItem } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import { abandonable } from '../../providers/abandonable.ts';
import { completeMove, type Moving } from '../connections/move.ts';
import { lookAtKeyInUse } from '../keys/look-in-use.ts';
import type { Denials } from '../keys/denials.ts';
import type { Following } from './follow-key-version.ts';
import { followNewest } from './follow-newest.ts';
import { inLightOf } from './in-light-of.ts';
import { loadConnection } from '../keys/verified-connection.ts';
import { logChange, lookAgain, tellOthers } from './after-check.ts';
import { asChecked } from './health-report.ts';
import type { OwnNetwork } from './own-network.ts';
import { lookAtNewerSecret, tellExpiry } from './secrets-in-use.ts';
import { checkItem, notePace } from './pace.ts';

export interface CheckDependencies extends Moving, Following {
  readonly tables: Auditing['tables'];
  readonly sealer: Following['sealer'];
  readonly clock: Following['clock'];
  readonly checkQueue: CheckQueue;
  readonly denials: Pick<Denials, 'find' | 'add' | 'lift'>;
  readonly ownNetwork: OwnNetwork;
}

/** Looks now and keeps what is new. Only for a key in force: what a set-up lacks is told by a connection test. */
export async function checkConnection(
  deps: CheckDependencies,
  place: ConnectionPlace,
  listed?: ListedAgendaItem,
): Promise<Result<VaultHealth, Refusal>> {
  const connection = await loadConnection(deps, place);
  if (connection.ok && !connection.value) return err(notFound('connection', place.connectionId));
  if (connection.ok && !(connection.value && isInForce(connection.value.value))) {
    const message = 'No keyring is protected by this connection: test it instead.';
    return err({ type: 'state', code: 'connection-not-in-force', message });
  }
  // Read before the look: a denial that is listed after it is not this look's to lift.
  const denied = await deps.denials.find(place);
  if (connection.ok && connection.value) await tellExpiry(deps, place, connection.value.value);
  const before = (await find(deps.tables, healthRow, place))?.value;
  const seen = connection.ok ? await lookIfTested(deps, place, connection.value, before) : failedLook(connection.error);
  const look =
    seen && connection.ok && connection.value
      ? await judged(deps, place, { connection: connection.value.value, before, seen })
      : seen;
  if (!look) return err({ type: 'state', code: 'connection-not-tested', message: 'Test the connection first.' });
  // Before the state is written: who reads that it is revoked must find every process told.
  if (look.outcome === 'failed' && isRevocation(look.failure))
    await deps.denials.add(place, look.failure.code, { again: false });
  const now = deps.clock.now();
  const about = {
    actor: KEYSWITCH,
    action: ACTIONS.healthy,
    companyId: place.companyId,
    target: connectionRow.key(place),
  };
  const checked = await act<VaultHealth>(deps, about, async (tx) => {
    const before = await tx.find(healthRow, place);
    const known = before?.value;
    // This very look, written though its answer was lost: it must not count as a second one.
    if (known?.checkedAt === now.toISOString()) return ok(known);
    const after = afterLook(known && (await withLastGood(deps, place, { known, look })), look, now);
    if (known && !hasChanged(known, after)) return ok(known);
    const { state, code } = after;
    tx.put(healthRow, place, before, after);
    const isChange = isNews(known, after);
    if (isChange) tx.insert(healthChangeRow, { ...place, health: after }, after);
    else tx.withoutEvent();
    tx.named(ACTIONS[state]);
    tx.detail({ state, code, before: known?.state });
    return {
      done: () => {
        if (isChange) logChange(deps.log, place, after);
        return after;
      },
      ifLanded: async () => ok((await find(deps.tables, healthRow, place))?.value ?? after),
    };
  });
  if (checked.ok) await tellOthers(deps, place, { health: checked.value, denied });
  // Only where this look has counted: looks that come too early must not each begin another row of messages.
  const hasCounted = checked.ok && checked.value.checkedAt === now.toISOString();
  if (hasCounted && awaitsConfirmation(checked.value)) await lookAgain(deps, place);
  if (checked.ok && (hasCounted || listed)) await notePace(deps.tables, place, { health: checked.value, listed });
  if (hasCounted) await keepStanding(deps, place.companyId);
  return checked;
}

/** A failed look by what else is known: of our own network, and of what checks met before. */
async function judged(
  deps: CheckDependencies,
  place: ConnectionPlace,
  {
    connection,
    before,
    seen,
  }: { readonly connection: Connection; readonly before: VaultHealth | undefined; readonly seen: Look },
): Promise<Look> {
  const look = await deps.ownNetwork.judge({ companyId: place.companyId, host: connection.host }, seen);
  const provider = deps.providers.of(connection);
  return inLightOf({ tables: deps.tables, provider }, { ...place, known: before, now: deps.clock.now() }, look);
}

/** When it was good last is stored when it no longer is; until then it follows from the rounds. */
const withLastGood = async (
  { tables }: CheckDependencies,
  place: ConnectionPlace,
  { known, look }: { readonly known: VaultHealth; readonly look: Look },
): Promise<VaultHealth> => {
  if (look.outcome === 'good' || !isWell(known.state)) return known;
  const { lastGoodAt } = await asChecked(tables, place, known);
  return { ...known, ...present({ lastGoodAt }) };
};

/** What is recorded of a vault that has come into a state, and told to webhooks. */
const ACTIONS: Readonly<Record<VaultState, string>> = {
  healthy: 'vault.healthy',
  warning: 'vault.warning',
  'waiting-for-azure': 'vault.waiting-for-azure',
  unreachable: 'vault.unreachable',
  revoked: 'vault.revoked',
};

const failedLook = (failure: Failure): Look => ({ outcome: 'failed', failure, warnings: [] });

async function lookIfTested(
  deps: CheckDependencies,
  place: ConnectionPlace,
  connection: Found<Connection> | undefined,
  known: VaultHealth | undefined,
): Promise<Look | undefined> {
  const target = connection && targetOfConnection(connection.value);
  if (!target) return undefined;
  const { companyId } = place;
  const look = await lookAtVersions(deps, place, { connection: connection.value, target, known });
  if (look?.outcome !== 'failed' || look.failure.code !== 'wrong-entra-tenant')
    return lookAtNewerSecret(deps, { companyId, held: connection }, look ?? (await lookAtNewest(deps, target)));
  const move = await completeMove(deps, { companyId, held: connection }, KEYSWITCH);
  return (move.ok ? move.value?.look : undefined) ?? look;
}

/** The versions in use and the newest, which is followed if it is another one. */
async function lookAtVersions(
  deps: CheckDependencies,
  place: ConnectionPlace,
  {
    connection,
    target,
    known,
  }: { readonly connection: Connection; readonly target: KeyTarget; readonly known: VaultHealth | undefined },
): Promise<Look | undefined> {
  const { companyId } = place;
  const isNewerLeft = known?.warnings.includes('key-version-not-followed') === true;
  const reads = versionsToRead(known && { isWell: isWell(known.state), isNewerLeft }, deps.clock.now());
  const look = await lookAtKeyInUse(deps, { companyId, connection }, { reads });
  if (!look) return undefined;
  if (reads !== 'in-use' || look.outcome === 'failed')
    return followNewest(deps, { companyId, connection, target }, look);
  const notFollowed = deps.providers.of(target.ref).notFollowed(target);
  return { ...look, warnings: [notFollowed, ...look.warnings] };
}

/** Where nothing is wrapped by it, there is no version in use: nothing to open is nothing wrong. */
async function lookAtNewest(deps: CheckDependencies, target: KeyTarget): Promise<Look> {
  const provider = deps.providers.of(target.ref);
  const key = await provider.read(target, { purpose: 'in-force' });
  if (!key.ok) return failedLook(provider.explain(key.error, {}));
  const { denials, warnings } = key.value;
  return { outcome: 'good', keyVersions: [], warnings: [...denials.map(asWarning), ...warnings] };
}

interface CheckOptions {
  /** The item as a round found it. */
  readonly listed?: ListedAgendaItem;
  /** Once it is aborted, no vault is asked any more: the check ends with its reason, and has said nothing. */
  readonly signal?: AbortSignal;
}

/** One that nothing depends on any more leaves the agenda. */
export async function checkIfUsed(
  deps: CheckDependencies,
  { companyId, connectionId }: ConnectionPlace,
  { listed, signal }: CheckOptions,
): Promise<void> {
  const place = { companyId, connectionId };
  const isUnused = async (): Promise<boolean> => {
    const connection = await loadConnection(deps, place);
    return connection.ok && !connection.value?.value.usedBy.length;
  };
  if (await isUnused()) {
    // Asked once more after the item was read: a switch that puts the connection in force renews it.
    const denied = await deps.denials.find(place);
    if (denied) await deps.denials.lift(denied);
    await takeOffAgenda(deps.tables, checkItem(place), isUnused);
    return;
  }
  const providers = signal ? deps.providers.through(abandonable(signal)) : deps.providers;
  const checked = await checkConnection({ ...deps, providers }, place, listed);
  if (!checked.ok)
    deps.log.write({ level: 'warning', event: 'vault.check-lost', detail: { ...place, reason: checked.error.type } });
}
