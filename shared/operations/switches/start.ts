// Begins a switch to another provider, or a re-key under the same one. One transaction on the company's partition; the work begins with the message sent
// after it, or with the timer if that message is lost.
import type { Actor } from '../../domain/audit.ts';
import { lackOfRecentConsent } from '../../identity/registry/tenant-kinds.ts';
import { policyForbids } from '../../domain/company-policy.ts';
import { MAX_ROLL_BACKS_PER_VERSION, type Company, type Keyring } from '../../domain/keyring.ts';
import { providerName, sameProvider, type ProviderRef } from '../../domain/provider.ts';
import { COMPANY_CLOSING, notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import { healthRow } from '../../store/rows/health-rows.ts';
import { keyringRow } from '../../store/rows/keyring-rows.ts';
import { switchRow } from '../../store/rows/switch-rows.ts';
import type { OrderingVendor } from '../../domain/switch-orders.ts';
import type { Switch, SwitchPlace } from '../../domain/switch.ts';
import type { Auditing } from '../../store/append.ts';
import { act, type Acted } from '../../store/act.ts';
import { find, type Found, type Loaded } from '../../store/found.ts';
import type { Tx } from '../../store/tx.ts';
import { lackOfFeatures, policyOf } from '../keys/company-terms.ts';
import { targetOf, type TargetReading } from '../keys/open-wrap.ts';
import type { Sealer, WorkQueue } from '../../domain/ports.ts';
import { placesOfOthers } from '../keys/places-of-keyrings.ts';
import { loadConnection } from '../keys/verified-connection.ts';
import { enqueue } from './messages.ts';
import { sealSwitch } from '../keys/switch-seal.ts';
import { vendorKeyItemOf } from '../../store/agenda.ts';
import { putSwitchOnAgenda, takeLostAttemptOff } from './agenda.ts';
import { actOnSwitch, loadConnectionsOf } from './switch-writes.ts';
import { markUse, userOfSwitch } from '../../store/connection-use.ts';

export interface StartDependencies extends Omit<TargetReading, 'tables'>, Auditing {
  readonly queue: WorkQueue;
  readonly sealer: Sealer;
  /** How long a consent is valid for a set-up that is not finished. */
  readonly consentMs: number;
}

interface Order extends SwitchPlace {
  readonly kind: Switch['kind'];
  /** Undefined for a re-key, which keeps its provider. */
  readonly target?: ProviderRef;
  readonly vendor?: OrderingVendor;
}

/** A second call with the same id and target answers the same switch. */
export function startSwitch(
  deps: StartDependencies,
  input: SwitchPlace & { readonly target: ProviderRef; readonly vendor?: OrderingVendor },
  actor: Actor,
): Promise<Result<Loaded<Switch>, Refusal>> {
  return start(deps, { ...input, kind: 'switch' }, actor);
}

export function startRekey(
  deps: StartDependencies,
  input: SwitchPlace,
  actor: Actor,
): Promise<Result<Loaded<Switch>, Refusal>> {
  return start(deps, { ...input, kind: 'rekey' }, actor);
}

async function start(deps: StartDependencies, order: Order, actor: Actor): Promise<Result<Loaded<Switch>, Refusal>> {
  const about = { actor, ...actOnSwitch('switch.start', order, { kind: order.kind }) };
  const started = await act<Loaded<Switch>>(deps, about, (tx) => tryStart(deps, order, { tx, requestedBy: actor.by }));
  // If the message cannot be sent, the switch stands all the same, and the timer finds it.
  if (started.ok) await enqueue(deps, order, [{ kind: 'advance', format: 1, attempt: 0, ...placeOf(order) }]);
  return started;
}

const placeOf = ({ companyId, keyringId, switchId }: SwitchPlace): SwitchPlace => ({ companyId, keyringId, switchId });

async function tryStart(
  deps: StartDependencies,
  order: Order,
  { tx, requestedBy }: { readonly tx: Tx; readonly requestedBy: string },
): Promise<Acted<Loaded<Switch>>> {
  const place = placeOf(order);
  const [company, keyring, existing] = await Promise.all([
    tx.find(companyRow, order),
    tx.find(keyringRow, order),
    tx.find(switchRow, order),
  ]);
  if (!company) return err(notFound('company', order.companyId));
  if (!keyring) return err(notFound('keyring', order.keyringId));
  if (existing) return sameOrder(existing, order);
  if (company.value.state !== 'active') return err(COMPANY_CLOSING);
  const refused = refusalOf(keyring.value, order);
  if (refused) return err(refused);
  const revoked = await revocationOf(deps, order.companyId, keyring.value.provider);
  if (revoked) return err(revoked);
  const target = order.target ?? keyring.value.provider;
  if (order.kind === 'switch') {
    const unfit = await judgeTarget(deps, { company, source: keyring.value.provider, target });
    if (unfit) return err(unfit);
    const others = await placesOfOthers(deps.tables, place);
    const policy = await policyOf(deps, company);
    if (!policy.ok) return err(refusedBy(policy.error));
    const forbidden = policyForbids(policy.value, { ref: target, others });
    if (forbidden) return err(forbidden);
  }
  const connections = await loadConnectionsOf(deps, order.companyId, { needed: [target] });
  if (!connections.ok) return err(refusedBy(connections.error));
  // Confirmation is needed even if tenants are registered: the vendor registers them, and could register one of its own. A re-key leads nowhere else.
  const vendor = order.kind === 'switch' ? order.vendor : undefined;
  const now = deps.clock.now().toISOString();
  const sealed = await sealSwitch(deps, place, {
    switchId: order.switchId,
    keyringId: order.keyringId,
    kind: order.kind,
    state: 'pending-verification',
    source: keyring.value.provider,
    target,
    fromVersion: keyring.value.activeVersion,
    toVersion: 0,
    generation: 0,
    paused: false,
    denialAccepted: false,
    ...(vendor?.maySwitch === false ? { awaitsConfirmation: true } : {}),
    requestedBy,
    createdAt: now,
  });
  if (!sealed.ok) return err(refusedBy(sealed.error));
  const sw = sealed.value;
  const put = await putSwitchOnAgenda(deps.tables, place, now);
  if (typeof put === 'string') return put;
  if (deps.providers.of(target).isVendors) tx.agenda(vendorKeyItemOf(place));
  const written = tx.insert(switchRow, place, sw);
  tx.replace(keyring, { ...keyring.value, switchId: order.switchId });
  tx.guard(company);
  for (const connection of connections.value) markUse(tx, connection, { add: [userOfSwitch(order)] });
  tx.detail({
    source: providerName(sw.source),
    target: providerName(target),
    ...(vendor ? { vendorMaySwitch: vendor.maySwitch } : {}),
  });
  return {
    done: () => {
      deps.log.write({ level: 'info', event: 'switch.requested', detail: { ...place, kind: order.kind } });
      return written();
    },
    ifConflict: async () => {
      await takeLostAttemptOff(deps.tables, place, put);
      return undefined;
    },
    ifLanded: async () => ok((await find(deps.tables, switchRow, place)) ?? { value: sw, etag: '' }),
  };
}

function sameOrder(existing: Loaded<Switch>, order: Order): Result<Loaded<Switch>, Refusal> {
  const { value } = existing;
  const same = value.kind === order.kind && (!order.target || sameProvider(value.target, order.target));
  return same ? ok(existing) : err({ type: 'already-exists', what: 'switch', id: order.switchId });
}

function refusalOf(keyring: Keyring, order: Order): Refusal | undefined {
  if (keyring.state !== 'ready') {
    return { type: 'state', code: 'keyring-not-ready', message: 'The keyring is still being created.' };
  }
  if (keyring.switchId !== undefined) return { type: 'switch-in-progress', switchId: keyring.switchId };
  if (order.kind === 'switch' && keyring.rollBacks >= MAX_ROLL_BACKS_PER_VERSION) {
    const message = `Data keys were moved back to company key ${keyring.activeVersion} ${keyring.rollBacks} times; re-key first.`;
    return { type: 'state', code: 'reprotections-exhausted', message };
  }
  return undefined;
}

/** A key that cannot be used moves nothing: the switch would only be blocked by it. Says what the last check of its vault met, and what to do. */
async function revocationOf(
  { tables }: Pick<StartDependencies, 'tables'>,
  companyId: string,
  { connectionId }: ProviderRef,
): Promise<Refusal | undefined> {
  const health = connectionId === undefined ? undefined : await find(tables, healthRow, { companyId, connectionId });
  if (health?.value?.state !== 'revoked') return undefined;
  const { since, code, message, remedy } = health.value;
  const why = [message, remedy?.text].filter((words) => words !== undefined).join(' ');
  return {
    type: 'state',
    code: 'provider-revoked',
    message: `The key that protects the keyring is denied since ${since} (${code ?? 'unknown'}). ${why}`.trim(),
  };
}

/** A target must exist, be tested (tenant pinned, key read) with a last test that did not fail, and be another key than the one in force. */
async function judgeTarget(
  deps: StartDependencies,
  input: { readonly company: Found<Company>; readonly source: ProviderRef; readonly target: ProviderRef },
): Promise<Refusal | undefined> {
  const { company, source, target } = input;
  const { companyId } = company.value;
  const { connectionId } = target;
  if (connectionId !== undefined) {
    const connection = await loadConnection(deps, { companyId, connectionId });
    if (!connection.ok) return refusedBy(connection.error);
    if (connection.value?.value.provider !== target.provider) return notFound('connection', connectionId);
    const { kind } = connection.value.value.credential;
    const lacking = await lackOfFeatures(deps, company, ['customer-keys', kind]);
    if (lacking) return lacking;
    if (connection.value.value.tenantId === undefined || !connection.value.value.keySeen) {
      const message = 'Test the connection first, until it is green: its key has not been read yet.';
      return { type: 'state', code: 'connection-not-tested', message };
    }
    const { testFailed } = connection.value.value;
    if (testFailed !== undefined) {
      const message = `The last test of the connection failed (${testFailed}). Mend it, and test again until it is green.`;
      return { type: 'state', code: 'connection-test-failed', message };
    }
    const recent = { now: deps.clock.now(), consentMs: deps.consentMs };
    const lack = lackOfRecentConsent(connection.value.value, recent);
    if (lack) return refusedBy(lack);
  }
  const from = await targetOf(deps, { companyId, ref: source });
  if (!from.ok) return refusedBy(from.error);
  const to = await targetOf(deps, { companyId, ref: target });
  if (!to.ok) return refusedBy(to.error);
  const same = from.value.host === to.value.host && from.value.keyName.toLowerCase() === to.value.keyName.toLowerCase();
  if (!same) return undefined;
  const message = 'The keyring is protected by this very key already. To change the company key under it, use re-key.';
  return { type: 'state', code: 'same-vault-key', message };
}
