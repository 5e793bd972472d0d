// Steering a switch: turning it back, pausing, going on, agreeing to it, and the decisions over single data keys.
import type { Actor } from '../../../../shared/domain/audit.ts';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import type { Result } from '../../../../shared/domain/result.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import { countCall } from '../../../../shared/store/call-limit.ts';
import {
  cancelSwitch,
  confirmSwitch,
  pauseSwitch,
  resumeSwitch,
  retrySwitch,
  type ControlDependencies,
} from '../../../../shared/operations/switches/steer.ts';
import {
  acceptLoss,
  retryQuarantined,
  type QuarantineDependencies,
} from '../../../../shared/operations/switches/quarantine.ts';
import type { ViewDependencies } from '../../../../shared/operations/switches/view.ts';
import type { Role } from '../../kernel/roles.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { noFields, quarantinePath, switchPath } from '../../kernel/schemas/ids.ts';
import { retryBody, switchBody } from './bodies.ts';
import { ONE, shown, STEERS, vendorOf, type OrderingServices, type Place } from './shown.ts';

export type SteeringServices = ControlDependencies & QuarantineDependencies & ViewDependencies & OrderingServices;

const TURNED_BACK = 'Ordered; the switch as it is now. Whoever follows the switch sees it end as `Canceled`.';

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
): ReturnType<typeof defineRoute<SteeringServices>> {
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
    run: async (deps: SteeringServices, call) => {
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
): ReturnType<typeof defineRoute<SteeringServices>> {
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
    run: async (deps: SteeringServices, call) => {
      const decided = await operation(deps, call.path, call.actor);
      return decided.ok ? shown(deps, call.path, call, 200) : decided;
    },
  });
}

export const steerRoutes = [
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
    run: async (deps: SteeringServices, call) => {
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
] as const;
