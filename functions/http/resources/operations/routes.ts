// How Keyswitch itself is, for the vendor's operators, and its timers by hand.
import { present } from '../../../../shared/domain/plain-object.ts';
import { listStandings } from '../../../../shared/operations/watch/list-standings.ts';
import { ok } from '../../../../shared/domain/result.ts';
import { runTimer, type TimerRunning } from '../../../../shared/operations/watch/run-timer.ts';
import { operationsStatus, timerStatus, type Watching } from '../../../../shared/operations/watch/status.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { pageBody, pageOf, pageRequest } from '../../kernel/schemas/pages.ts';
import { noFields } from '../../kernel/schemas/ids.ts';
import { hasEnded } from '../../kernel/schemas/long-work.ts';
import { standingOfCompany, standingQuery, timerPath, turnBody, turnToBody } from './bodies.ts';
import { statusBody, statusToBody } from './status-body.ts';

export type OperationsServices = TimerRunning & Watching;

const POLL_AGAIN = { 'Retry-After': '5' };

export const operationsRoutes = [
  defineRoute({
    operationId: 'get-operations-status',
    method: 'GET',
    path: '/operations/status',
    tag: 'operations',
    summary: 'How Keyswitch is: timers, instances, queues, companies by state, what stands still and why',
    roles: ['VendorAdmin', 'Auditor'],
    answers: {
      200: 'As its sources say it now, within seconds. Each list is bounded, and says whether it is whole. A part whose source does not answer is absent, and `missing` names it.',
    },
    answerSchema: statusBody,
    run: async (deps: OperationsServices, call) =>
      ok({ status: 200, body: statusToBody(await operationsStatus(deps), call.baseUrl) }),
  }),
  defineRoute({
    operationId: 'list-company-standings',
    method: 'GET',
    path: '/operations/companies',
    tag: 'operations',
    summary: 'All companies as they stand, by state, owner, code or words',
    description:
      'Several filters at once all have to fit. A page may be short or empty and not the last. What a switch does is seen within a minute.',
    roles: ['VendorAdmin', 'Auditor'],
    querySchema: standingQuery,
    answers: { 200: 'A page, in the order of the index.' },
    answerSchema: pageOf(standingOfCompany),
    run: async (deps: OperationsServices, call) => {
      const { state, owner, code, q } = call.query;
      const filter = present({ state, owner, code, q });
      const page = await listStandings(deps, { ...filter, ...pageRequest(call.query) });
      if (!page.ok) return page;
      const asked = new URLSearchParams(filter).toString();
      const collectionUrl = `${call.baseUrl}/operations/companies${asked === '' ? '' : `?${asked}`}`;
      const { value, continuation } = page.value;
      return ok({ status: 200, body: pageBody([...value], { continuation, query: call.query, collectionUrl }) });
    },
  }),
  defineRoute({
    operationId: 'run-timer',
    method: 'POST',
    path: '/operations/timers/{timer}/run',
    tag: 'operations',
    summary: "Do a timer's work now",
    description:
      'The same work as at its next turn. Refused while a turn is under way, on whatever instance: 409 `timer-running`.',
    roles: ['VendorAdmin'],
    pathSchema: timerPath,
    bodySchema: noFields,
    refuses: ['timer-running'],
    answers: {
      200: 'Done; the body says how much, and what failed.',
      202: 'Begun, and goes on; Operation-Location says how far it is.',
    },
    answerSchema: turnBody,
    run: async (deps: OperationsServices, call) => {
      const { timer } = call.path;
      const turn = await runTimer(deps, timer, call.actor);
      if (!turn.ok) return turn;
      const body = turnToBody(timer, turn.value, true);
      if (hasEnded(body.status)) return ok({ status: 200, body });
      const url = `${call.baseUrl}/operations/timers/${timer}`;
      return ok({ status: 202, body, headers: { 'Operation-Location': url, ...POLL_AGAIN } });
    },
  }),
  defineRoute({
    operationId: 'get-timer',
    method: 'GET',
    path: '/operations/timers/{timer}',
    tag: 'operations',
    summary: 'The last turn of a timer',
    roles: ['VendorAdmin', 'Auditor'],
    pathSchema: timerPath,
    isFollowed: true,
    answers: { 200: 'How far it is, or what came of it.' },
    answerSchema: turnBody,
    run: async (deps: OperationsServices, call) => {
      const { timer } = call.path;
      const { state, beat } = await timerStatus(deps, timer);
      const body = turnToBody(timer, beat?.turn, state === 'running');
      return ok({ status: 200, body, headers: hasEnded(body.status) ? {} : POLL_AGAIN });
    },
  }),
] as const;
