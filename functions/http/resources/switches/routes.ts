// Switches of a keyring: begin, watch, steer. The switch itself is the status resource of the work that it began.
import * as z from 'zod';
import type { Actor } from '../../../../shared/domain/audit.ts';
import { present } from '../../../../shared/domain/rows/cells.ts';
import { ok, type Result } from '../../../../shared/domain/result.ts';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import { countCall } from '../../../../shared/operations/call-limit.ts';
import {
  cancelSwitch,
  confirmSwitch,
  pauseSwitch,
  resumeSwitch,
  retrySwitch,
  type ControlDependencies,
} from '../../../../shared/operations/switches/control-switch.ts';
import {
  acceptLoss,
  retryQuarantined,
  type QuarantineDependencies,
} from '../../../../shared/operations/switches/quarantine.ts';
import {
  type OrderingVendor,
  startRekey,
  startSwitch,
  type StartDependencies,
} from '../../../../shared/operations/switches/start-switch.ts';
import { getSwitch, listSwitches, type ViewDependencies } from '../../../../shared/operations/switches/switch-view.ts';
import { beginRequest, derivedId, type Requesting } from '../../../../shared/operations/requests.ts';
import type { CallPlaces } from '../../kernel/call-places.ts';
import type { Role } from '../../kernel/roles.ts';
import { defineRoute, type Answer, type CallContext } from '../../kernel/route.ts';
import { keyringPath, noFields, providerRef, quarantinePath, switchPath } from '../../kernel/schemas/ids.ts';
import { hasEnded } from '../../kernel/schemas/long-work.ts';
import { pageBody, pageOf, pageQuery, pageRequest } from '../../kernel/schemas/pages.ts';
import { retryBody, switchBody, switchToBody, type SwitchBody } from './bodies.ts';

export type SwitchServices = StartDependencies &
  ControlDependencies &
  QuarantineDependencies &
  ViewDependencies &
  Requesting & {
    /** A switch that the vendor orders needs no confirmation by an admin of the company. */
    readonly vendorMaySwitch: boolean;
    readonly callPlaces: Pick<CallPlaces, 'run'>;
    /** Of a new keyring: about what a look at a switch reads. */
    readonly shardCount: number;
  };

type Place = z.output<typeof switchPath>;

const STEERS: readonly Role[] = ['VendorAdmin', 'CompanyAdmin'];
const READS: readonly Role[] = ['VendorAdmin', 'CompanyAdmin', 'Auditor'];
const POLL_AGAIN = { 'Retry-After': '5' };
const TURNED_BACK = 'Ordered; the switch as it is now. Whoever follows the switch sees it end as `Canceled`.';
/** Of whatever moves every data key of a keyring. */
const REFUSES_TO_START = [
  'keyring-not-found',
  'connection-not-found',
  'company-closing',
  'keyring-not-ready',
  'connection-not-tested',
  'connection-test-failed',
  'switch-in-progress',
  'switch-exists',
  'reprotections-exhausted',
] as const;

const COLLECTION = '/companies/{companyId}/keyrings/{keyringId}/switches';
const ONE = `${COLLECTION}/{switchId}`;

/** Absent for an admin of the company. */
const vendorOf = (
  { vendorMaySwitch }: Pick<SwitchServices, 'vendorMaySwitch'>,
  { isCompanyAdmin }: Pick<CallContext, 'isCompanyAdmin'>,
): { readonly vendor?: OrderingVendor } => (isCompanyAdmin ? {} : { vendor: { maySwitch: vendorMaySwitch } });

/** However many follow the switches of a company, others are not kept waiting: a look reads every shard. */
const looking = <T>(
  { callPlaces, shardCount }: Pick<SwitchServices, 'callPlaces' | 'shardCount'>,
  { companyId }: { readonly companyId: string },
  look: () => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> => callPlaces.run({ companyId, rows: shardCount }, look);

async function shown(
  deps: ViewDependencies,
  place: Place,
  call: CallContext,
  status: number,
): Promise<Result<Answer<SwitchBody>, Refusal>> {
  const view = await getSwitch(deps, place);
  if (!view.ok) return view;
  const { value } = view;
  const body = switchToBody(value, call);
  const url = `${call.baseUrl}/companies/${place.companyId}/keyrings/${place.keyringId}/switches/${place.switchId}`;
  return ok({ status, body, headers: status === 202 ? { 'Operation-Location': url, ...POLL_AGAIN } : {} });
}

/**
 * An action on a switch, answered with the switch as it is now. `done`: where an Operation-Location would have a poller wait for another end than the
 * one that was asked for. A pause is done when it is answered; what a cancel asks for, a poller calls failed, and what it came too late for, done.
 */
function action(
  {
    verb,
    done,
    limit = 'steer',
  }: {
    readonly verb: 'cancel' | 'pause' | 'resume' | 'confirm';
    /** What 200 says, where nothing is to be waited for here. */
    readonly done?: string;
    readonly limit?: 'steer' | 'cancel';
  },
  summary: string,
  operation: (deps: ControlDependencies, place: Place, actor: Actor) => Promise<Result<unknown, Refusal>>,
  roles: readonly Role[] = STEERS,
): ReturnType<typeof defineRoute<SwitchServices>> {
  return defineRoute({
    operationId: `${verb}-switch`,
    method: 'POST',
    path: `${ONE}/${verb}`,
    tag: 'switches',
    summary,
    roles,
    isLimited: true,
    pathSchema: switchPath,
    bodySchema: noFields,
    refuses: ['switch-not-found', 'switch-ended', 'switch-not-running', 'switch-not-blocked', 'company-closing'],
    fails: ['vault'],
    answers: done === undefined ? { 202: 'Ordered; the switch as it is now.' } : { 200: done },
    answerSchema: switchBody,
    run: async (deps: SwitchServices, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: limit });
      if (!allowed.ok) return allowed;
      const ordered = await operation(deps, call.path, call.actor);
      return ordered.ok ? shown(deps, call.path, call, done === undefined ? 202 : 200) : ordered;
    },
  });
}

function decision(
  verb: 'retry' | 'accept-loss',
  texts: { readonly summary: string; readonly description: string },
  operation: typeof acceptLoss,
): ReturnType<typeof defineRoute<SwitchServices>> {
  return defineRoute({
    operationId: verb === 'retry' ? 'retry-quarantined-data-key' : 'accept-loss-of-data-key',
    method: 'POST',
    path: `${ONE}/quarantine/{keyId}/${verb}`,
    tag: 'switches',
    ...texts,
    roles: ['VendorAdmin'],
    pathSchema: quarantinePath,
    bodySchema: noFields,
    refuses: [
      'switch-not-found',
      'keyring-not-found',
      'data-key-not-found',
      'switch-ended',
      'data-key-quarantined',
      'data-key-not-quarantined',
      'data-key-lost',
      'data-key-opens',
    ],
    fails: ['vault'],
    answers: { 200: 'Decided; the switch as it is now.' },
    answerSchema: switchBody,
    run: async (deps: SwitchServices, call) => {
      const decided = await operation(deps, call.path, call.actor);
      return decided.ok ? shown(deps, call.path, call, 200) : decided;
    },
  });
}

export const switchRoutes = [
  defineRoute({
    operationId: 'list-switches',
    method: 'GET',
    path: COLLECTION,
    tag: 'switches',
    summary: 'The switches of a keyring, unfinished and ended',
    roles: READS,
    pathSchema: keyringPath,
    querySchema: pageQuery,
    refuses: ['keyring-not-found', 'overloaded'],
    answers: { 200: 'In the order of their ids.' },
    answerSchema: pageOf(switchBody),
    run: (deps: SwitchServices, call) =>
      looking(deps, call.path, async () => {
        const { companyId, keyringId } = call.path;
        const page = await listSwitches(deps, { ...call.path, ...pageRequest(call.query) });
        if (!page.ok) return page;
        const { views, continuation } = page.value;
        const collectionUrl = `${call.baseUrl}/companies/${companyId}/keyrings/${keyringId}/switches`;
        const items = views.map((view) => switchToBody(view, call));
        return ok({ status: 200, body: pageBody(items, { continuation, query: call.query, collectionUrl }) });
      }),
  }),
  defineRoute({
    operationId: 'start-switch',
    method: 'PUT',
    path: ONE,
    tag: 'switches',
    summary: 'Switch the keyring to another provider',
    description:
      'The same id and provider again answer the same switch. One unfinished switch per keyring. Ordered by a vendor admin it waits for an admin of the company, who confirms or cancels it.',
    roles: STEERS,
    isLimited: true,
    pathSchema: switchPath,
    bodySchema: providerRef,
    refuses: [...REFUSES_TO_START, 'same-vault-key'],
    fails: ['vault'],
    answers: { 202: 'Under way; the switch is the status resource.' },
    answerSchema: switchBody,
    run: async (deps: SwitchServices, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'switch' });
      if (!allowed.ok) return allowed;
      const started = await startSwitch(
        deps,
        {
          ...call.path,
          target: call.body,
          ...vendorOf(deps, call),
        },
        call.actor,
      );
      return started.ok ? shown(deps, call.path, call, 202) : started;
    },
  }),
  defineRoute({
    operationId: 'get-switch',
    method: 'GET',
    path: ONE,
    tag: 'switches',
    summary: 'State, counts, rate, time left, and what it waits for',
    roles: READS,
    pathSchema: switchPath,
    refuses: ['switch-not-found', 'overloaded'],
    isFollowed: true,
    answers: { 200: 'The switch.' },
    answerSchema: switchBody,
    run: async (deps: SwitchServices, call) => {
      const found = await looking(deps, call.path, () => shown(deps, call.path, call, 200));
      if (!found.ok || !found.value.body || hasEnded(found.value.body.status)) return found;
      return ok({ ...found.value, headers: POLL_AGAIN });
    },
  }),
  action({ verb: 'cancel', limit: 'cancel', done: TURNED_BACK }, 'Cancel: roll back whatever was moved', cancelSwitch),
  action({ verb: 'pause', done: 'Done; the switch as it is now.' }, 'Pause the workers', pauseSwitch),
  action({ verb: 'resume' }, 'Let the workers go on', resumeSwitch),
  action({ verb: 'confirm' }, 'Agree to a switch that the vendor ordered', confirmSwitch, ['CompanyAdmin']),
  defineRoute({
    operationId: 'retry-switch',
    method: 'POST',
    path: `${ONE}/retry`,
    tag: 'switches',
    summary: 'Try again what blocks the switch, or turn it',
    description:
      'Without a direction it goes on as before. With one it goes that way, also if the vault in force denies; forward over such a denial, and forward again after a switch was turned back, is the company admin’s alone: 403 `company-admin-only`. A switch that is blocked with `key-not-kept` tries to keep the company key again, unless `withoutKeeping` gives it up: 409 `switch-not-blocked` if nothing says that it cannot be kept.',
    roles: STEERS,
    isLimited: true,
    pathSchema: switchPath,
    bodySchema: retryBody.optional(),
    refuses: ['switch-not-found', 'company-admin-only', 'switch-ended', 'switch-not-running', 'switch-not-blocked'],
    fails: ['vault'],
    answers: { 200: `With \`direction: back\`. ${TURNED_BACK}`, 202: 'Ordered; the switch as it is now.' },
    answerSchema: switchBody,
    run: async (deps: SwitchServices, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'retry' });
      if (!allowed.ok) return allowed;
      const { direction, withoutKeeping } = call.body ?? {};
      const how = withoutKeeping ? { withoutKeeping } : present({ direction });
      const ordered = await retrySwitch(deps, { ...call.path, ...how, ...vendorOf(deps, call) }, call.actor);
      return ordered.ok ? shown(deps, call.path, call, direction === 'back' ? 200 : 202) : ordered;
    },
  }),
  decision(
    'retry',
    {
      summary: 'Try to re-protect a quarantined data key now',
      description:
        'Also takes a lost data key back that opens after all. If it does not open: 409 `data-key-quarantined` or `data-key-lost`.',
    },
    retryQuarantined,
  ),
  decision(
    'accept-loss',
    {
      summary: 'Give a quarantined data key up; its row is kept',
      description: 'First every company key that might open it is tried. If one does: 409 `data-key-opens`.',
    },
    acceptLoss,
  ),
  defineRoute({
    operationId: 'rekey',
    method: 'POST',
    path: '/companies/{companyId}/keyrings/{keyringId}/rekey',
    tag: 'switches',
    summary: 'Re-protect every data key under a new company key of the same provider',
    roles: STEERS,
    isLimited: true,
    idempotencyKey: true,
    pathSchema: keyringPath,
    bodySchema: noFields,
    refuses: REFUSES_TO_START,
    fails: ['vault'],
    answers: { 202: 'Under way, as a switch with an id made here.' },
    answerSchema: switchBody,
    run: async (deps: SwitchServices, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'switch' });
      if (!allowed.ok) return allowed;
      const switchId = await newSwitchId(deps, call.path, call);
      if (!switchId.ok) return switchId;
      const place = { ...call.path, switchId: switchId.value };
      const started = await startRekey(deps, place, call.actor);
      return started.ok ? shown(deps, place, call, 202) : started;
    },
  }),
] as const;

/** A repeat with the same Idempotency-Key gets the same id, and so the same switch. */
async function newSwitchId(
  deps: Requesting,
  place: z.output<typeof keyringPath>,
  call: CallContext,
): Promise<Result<string, Refusal>> {
  if (call.idempotencyKey === undefined) return ok(deps.entropy.id());
  const { companyId, keyringId } = place;
  const { subject: caller, idempotencyKey: key } = call;
  const begun = await beginRequest(deps, { companyId, caller, route: 'rekey', key, body: keyringId });
  return begun.ok ? ok(derivedId(begun.value.secret, 'switch', 0)) : begun;
}
