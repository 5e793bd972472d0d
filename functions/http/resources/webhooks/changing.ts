// What is done with webhooks: made, changed, tested, given a new key, sent again what was given up.
import type * as z from 'zod';
import { present } from '../../../../shared/domain/plain-object.ts';
import { ok } from '../../../../shared/domain/result.ts';
import type { WebhookPlace } from '../../../../shared/domain/webhook.ts';
import { requestRedelivery } from '../../../../shared/operations/notifications/redeliver.ts';
import { rotateSecret } from '../../../../shared/operations/notifications/rotate-secret.ts';
import { testWebhook } from '../../../../shared/operations/notifications/test-webhook.ts';
import { deleteWebhook, putWebhook } from '../../../../shared/operations/notifications/webhooks.ts';
import { countCall } from '../../../../shared/store/call-limit.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import type { Route } from '../../kernel/route.ts';
import { conditionsOf } from '../../kernel/preconditions.ts';
import { noFields } from '../../kernel/schemas/ids.ts';
import {
  overlapOf,
  rotateInput,
  testToBody,
  webhookBody,
  webhookInput,
  webhookTestBody,
  webhookToBody,
} from './bodies.ts';
import type { Scope, WebhookServices } from './scope.ts';

/** The answer may carry a secret. */
const NOT_STORED = { 'Cache-Control': 'no-store' };

/** Of each, which asks the vendor's vault or a receiver, so many a minute. */
const counted = (deps: WebhookServices, place: WebhookPlace): ReturnType<typeof countCall> =>
  countCall(deps, { ...place, kind: 'webhook' });

export function changing<P extends z.ZodType, Q extends z.ZodType>(
  scope: Scope<P, Q>,
): readonly Route<WebhookServices>[] {
  const { name, whose } = scope;
  const one = {
    path: `${scope.path}/{webhookId}`,
    tag: 'webhooks',
    roles: scope.changes,
    pathSchema: scope.one,
  } as const;
  const command = { ...one, method: 'POST', isLimited: true, fails: ['vault'] } as const;
  return [
    defineRoute({
      operationId: name('put', 'webhook'),
      ...one,
      method: 'PUT',
      summary: `Have ${whose} sent to an address`,
      description:
        'It gets what begins from now on. The answer that makes it carries the secret, which is shown this once. One that was switched off is switched on.',
      isLimited: true,
      conditions: 'write',
      bodySchema: webhookInput,
      refuses: ['too-many-webhooks', 'company-closing'],
      fails: ['webhook', 'vault'],
      answers: { 200: 'It was there.', 201: 'Made.' },
      answerSchema: webhookBody,
      run: async (deps: WebhookServices, call) => {
        const place = scope.placeOf(call.path);
        const allowed = await counted(deps, place);
        if (!allowed.ok) return allowed;
        const { url, types, signature } = call.body;
        const input = { url, ...present({ types, signature }) };
        const put = await putWebhook(deps, { ...place, input, condition: conditionsOf(call) }, call.actor);
        if (!put.ok) return put;
        const { value, etag, created, verifier } = put.value;
        return ok({ status: created ? 201 : 200, body: webhookToBody(value, verifier), etag, headers: NOT_STORED });
      },
    }),
    defineRoute({
      operationId: name('delete', 'webhook'),
      ...one,
      method: 'DELETE',
      summary: 'Send nothing more there',
      description: 'What was not taken yet, and what was given up, is forgotten; the record has it.',
      conditions: 'delete',
      refuses: ['webhook-not-found'],
      answers: { 204: 'Gone.' },
      run: async (deps: WebhookServices, call) => {
        const request = { ...scope.placeOf(call.path), condition: conditionsOf(call) };
        const deleted = await deleteWebhook(deps, request, call.actor);
        return deleted.ok ? ok({ status: 204 }) : deleted;
      },
    }),
    defineRoute({
      operationId: name('rotate', 'webhook-secret'),
      ...command,
      path: `${one.path}/rotate-secret`,
      summary: 'A new signing key; the one before signs beside it for a time',
      bodySchema: rotateInput,
      refuses: ['webhook-not-found', 'company-closing'],
      answersEtag: true,
      answers: { 200: 'The webhook, with what verifies the new key.' },
      answerSchema: webhookBody,
      run: async (deps: WebhookServices, call) => {
        const place = scope.placeOf(call.path);
        const allowed = await counted(deps, place);
        if (!allowed.ok) return allowed;
        const rotated = await rotateSecret(deps, { ...place, overlapHours: overlapOf(call.body) }, call.actor);
        if (!rotated.ok) return rotated;
        const { value, etag, verifier } = rotated.value;
        return ok({ status: 200, body: webhookToBody(value, verifier), etag, headers: NOT_STORED });
      },
    }),
    defineRoute({
      operationId: name('test', 'webhook'),
      ...command,
      path: `${one.path}/test`,
      summary: 'Send a message of type webhook.test now',
      description: 'A receiver that refuses is a result, not an error.',
      bodySchema: noFields,
      refuses: ['webhook-not-found'],
      answers: { 200: 'What came of it.' },
      answerSchema: webhookTestBody,
      run: async (deps: WebhookServices, call) => {
        const place = scope.placeOf(call.path);
        const allowed = await counted(deps, place);
        if (!allowed.ok) return allowed;
        const tested = await testWebhook(deps, place);
        return tested.ok ? ok({ status: 200, body: testToBody(tested.value, call) }) : tested;
      },
    }),
    defineRoute({
      operationId: name('redeliver', 'events'),
      ...command,
      path: `${one.path}/redeliver`,
      summary: 'Send everything again that was given up',
      description: 'In the order of the events, until one is not taken. Within seconds, behind or between newer ones.',
      bodySchema: noFields,
      refuses: ['webhook-not-found'],
      answers: { 204: 'It will be sent.' },
      run: async (deps: WebhookServices, call) => {
        const place = scope.placeOf(call.path);
        const allowed = await counted(deps, place);
        if (!allowed.ok) return allowed;
        const asked = await requestRedelivery(deps, place, call.actor);
        return asked.ok ? ok({ status: 204 }) : asked;
      },
    }),
  ];
}
