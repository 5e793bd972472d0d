// Switches of a keyring: begin and watch. The switch itself is the status resource of the work that it began.
import type * as z from 'zod';
import { ok, type Result } from '../../../../shared/domain/result.ts';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import { countCall } from '../../../../shared/store/call-limit.ts';
import { startRekey, startSwitch, type StartDependencies } from '../../../../shared/operations/switches/start.ts';
import { listSwitches } from '../../../../shared/operations/switches/view.ts';
import { beginRequest, derivedId, type Requesting } from '../../../../shared/store/requests.ts';
import type { CallPlaces } from '../../kernel/call-places.ts';
import type { Role } from '../../kernel/roles.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import type { CallContext } from '../../kernel/route.ts';
import { keyringPath, noFields, switchPath } from '../../kernel/schemas/ids.ts';
import { providerRef } from '../../kernel/schemas/provider-ref.ts';
import { hasEnded } from '../../kernel/schemas/long-work.ts';
import { pageBody, pageOf, pageQuery, pageRequest } from '../../kernel/schemas/pages.ts';
import { switchBody, switchToBody } from './bodies.ts';
import { COLLECTION, ONE, POLL_AGAIN, shown, STEERS, vendorOf } from './shown.ts';
import { steerRoutes, type SteeringServices } from './steer.ts';

export type SwitchServices = StartDependencies &
  SteeringServices &
  Requesting & {
    readonly callPlaces: Pick<CallPlaces, 'run'>;
    /** Of a new keyring: about what a look at a switch reads. */
    readonly shardCount: number;
  };

const READS: readonly Role[] = ['VendorAdmin', 'CompanyAdmin', 'Auditor'];
/** Of the orders that move every data key of a keyring. */
const REFUSES_TO_START = [
  'keyring-not-found',
  'connection-not-found',
  'company-closing',
  'keyring-not-ready',
  'connection-not-tested',
  'connection-test-failed',
  'switch-in-progress',
  'switch-exists',
  'provider-revoked',
  'reprotections-exhausted',
] as const;

/** However many follow the switches of a company, others are not kept waiting: a look reads every shard. */
const looking = <T>(
  { callPlaces, shardCount }: Pick<SwitchServices, 'callPlaces' | 'shardCount'>,
  { companyId }: { readonly companyId: string },
  look: () => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> => callPlaces.run({ companyId, rows: shardCount }, look);

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
    refuses: [...REFUSES_TO_START, 'same-vault-key', 'feature-not-enabled', 'policy-forbids'],
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
  ...steerRoutes,
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
