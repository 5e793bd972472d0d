// The record of what was done, and the check that it is unchanged: of a company, and of what belongs to no company.
import * as z from 'zod';
import { NO_COMPANY } from '../../../../shared/domain/ids.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import { ok, type Result } from '../../../../shared/domain/result.ts';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import { countCall, type CallLimiting } from '../../../../shared/store/call-limit.ts';
import { getEvent, listEvents } from '../../../../shared/operations/audit/list-events.ts';
import { verifyEvents, type Verifying } from '../../../../shared/operations/audit/verify-events.ts';
import type { Role } from '../../kernel/roles.ts';
import type { Answer } from '../../kernel/answer-json.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import type { CallContext } from '../../kernel/route.ts';
import { chainBody, chainToBody, eventBody, eventToBody, knownHead, verifyQuery, type EventBody } from './bodies.ts';
import { companyPath } from '../../kernel/schemas/ids.ts';
import { pageBody, pageOf, pageQuery, pageRequest } from '../../kernel/schemas/pages.ts';

export type EventServices = Verifying & CallLimiting;

const READS: readonly Role[] = ['VendorAdmin', 'CompanyAdmin', 'Auditor'];
const READS_ALL: readonly Role[] = ['VendorAdmin', 'Auditor'];

const eventPage = pageOf(eventBody);

async function listed(
  deps: EventServices,
  call: CallContext & { readonly query: z.output<typeof pageQuery> },
  chain: { readonly companyId: string; readonly path: string },
): Promise<Result<Answer<{ value: EventBody[]; nextLink?: string }>, Refusal>> {
  const page = await listEvents(deps, { companyId: chain.companyId, ...pageRequest(call.query) });
  if (!page.ok) return page;
  const { records, continuation } = page.value;
  const collectionUrl = `${call.baseUrl}${chain.path}`;
  return ok({
    status: 200,
    body: pageBody(records.map(eventToBody), { continuation, query: call.query, collectionUrl }),
  });
}

async function verified(
  deps: EventServices,
  call: CallContext & { readonly query: z.output<typeof verifyQuery> },
  chain: { readonly companyId: string; readonly path: string },
): Promise<Result<Answer<z.input<typeof chainBody>>, Refusal>> {
  const { head, from, skiptoken } = call.query;
  const { continuation } = pageRequest({ skiptoken });
  const piece = await verifyEvents(deps, {
    companyId: chain.companyId,
    asked: { by: call.subject, requestId: call.actor.requestId },
    ...present({
      known: head === undefined ? undefined : knownHead(head),
      from: from === undefined ? undefined : knownHead(from),
      continuation,
    }),
  });
  return piece.ok ? ok({ status: 200, body: chainToBody(piece.value, `${call.baseUrl}${chain.path}`) }) : piece;
}

const sequence = z
  .string()
  .regex(/^[1-9][0-9]{0,14}$/, 'must be the sequence of an event')
  .meta({ description: 'Place of an event in its chain, from 1.', example: '7', param: { id: 'SequenceParam' } });

async function shown(deps: EventServices, companyId: string, at: string): Promise<Result<Answer<EventBody>, Refusal>> {
  const event = await getEvent(deps, { companyId, sequence: Number(at) });
  return event.ok ? ok({ status: 200, body: eventToBody(event.value) }) : event;
}

export const eventRoutes = [
  defineRoute({
    operationId: 'list-events',
    method: 'GET',
    path: '/companies/{companyId}/events',
    tag: 'events',
    summary: 'What was done: who, what, from where, and what came of it',
    description: 'Also of a company that was deleted.',
    roles: READS,
    pathSchema: companyPath,
    querySchema: pageQuery,
    answers: { 200: 'A page, oldest first.' },
    answerSchema: eventPage,
    run: (deps: EventServices, call) => {
      const { companyId } = call.path;
      return listed(deps, call, { companyId, path: `/companies/${companyId}/events` });
    },
  }),
  defineRoute({
    operationId: 'verify-events',
    method: 'GET',
    path: '/companies/{companyId}/events/verify',
    tag: 'events',
    summary: 'Whether the chain of events is as it was written',
    description:
      'With a head that was logged, also that the chain still leads through it. A long chain is checked in pieces: follow nextLink.',
    roles: READS,
    isLimited: true,
    pathSchema: companyPath,
    querySchema: verifyQuery,
    answers: { 200: 'What was found. A chain that is broken is a result, not an error.' },
    answerSchema: chainBody,
    run: async (deps: EventServices, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'events' });
      const { companyId } = call.path;
      return allowed.ok ? verified(deps, call, { companyId, path: `/companies/${companyId}/events/verify` }) : allowed;
    },
  }),
  defineRoute({
    operationId: 'view-event',
    method: 'GET',
    path: '/companies/{companyId}/events/{sequence}',
    tag: 'events',
    summary: 'One event',
    description: 'What a webhook was told of leads here.',
    roles: READS,
    pathSchema: companyPath.extend({ sequence }),
    refuses: ['event-not-found'],
    answers: { 200: 'The event.' },
    answerSchema: eventBody,
    run: (deps: EventServices, call) => shown(deps, call.path.companyId, call.path.sequence),
  }),
  defineRoute({
    operationId: 'view-system-event',
    method: 'GET',
    path: '/events/{sequence}',
    tag: 'events',
    summary: 'One event that belongs to no company',
    roles: READS_ALL,
    pathSchema: z.strictObject({ sequence }),
    refuses: ['event-not-found'],
    answers: { 200: 'The event.' },
    answerSchema: eventBody,
    run: (deps: EventServices, call) => shown(deps, NO_COMPANY, call.path.sequence),
  }),
  defineRoute({
    operationId: 'list-system-events',
    method: 'GET',
    path: '/events',
    tag: 'events',
    summary: 'What was done that belongs to no company',
    roles: READS_ALL,
    querySchema: pageQuery,
    answers: { 200: 'A page, oldest first.' },
    answerSchema: eventPage,
    run: (deps: EventServices, call) => listed(deps, call, { companyId: NO_COMPANY, path: '/events' }),
  }),
  defineRoute({
    operationId: 'verify-system-events',
    method: 'GET',
    path: '/events/verify',
    tag: 'events',
    summary: 'Whether the chain of what belongs to no company is as it was written',
    roles: READS_ALL,
    querySchema: verifyQuery,
    answers: { 200: 'What was found. A chain that is broken is a result, not an error.' },
    answerSchema: chainBody,
    run: (deps: EventServices, call) => verified(deps, call, { companyId: NO_COMPANY, path: '/events/verify' }),
  }),
] as const;
