// What is to be seen of webhooks: where they lead, how far each was told, what was given up.
import type * as z from 'zod';
import { NO_COMPANY } from '../../../../shared/domain/ids.ts';
import { ok } from '../../../../shared/domain/result.ts';
import type { WebhookPlace } from '../../../../shared/domain/webhook.ts';
import { listDeadLetters, listDeliveries } from '../../../../shared/operations/notifications/dead-letters.ts';
import { getWebhook, listWebhooks } from '../../../../shared/operations/notifications/webhooks.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import type { Route } from '../../kernel/route.ts';
import { pageBody, pageOf, pageQuery, pageRequest } from '../../kernel/schemas/pages.ts';
import { deadLetterBody, deliveryBody, deliveryToBody, letterToBody, webhookBody, webhookToBody } from './bodies.ts';
import type { Scope, WebhookServices } from './scope.ts';

const webhookPage = pageOf(webhookBody);
const deliveryPage = pageOf(deliveryBody);
const deadLetterPage = pageOf(deadLetterBody);

const pathTo = ({ companyId, webhookId: id }: WebhookPlace): string =>
  `${companyId === NO_COMPANY ? '' : `/companies/${companyId}`}/webhooks/${id}`;

export function reading<P extends z.ZodType, Q extends z.ZodType>(
  scope: Scope<P, Q>,
): readonly Route<WebhookServices>[] {
  const { name, whose } = scope;
  const one = `${scope.path}/{webhookId}`;
  return [
    defineRoute({
      operationId: name('list', 'webhooks'),
      method: 'GET',
      path: scope.path,
      tag: 'webhooks',
      summary: `Where ${whose} are sent`,
      description: 'A stored webhook that somebody else wrote is left out, and is a security event.',
      roles: scope.reads,
      pathSchema: scope.collection,
      querySchema: pageQuery,
      fails: ['vault'],
      answers: { 200: 'A page, in the order of ids.' },
      answerSchema: webhookPage,
      run: async (deps: WebhookServices, call) => {
        const companyId = scope.companyOf(call.path);
        const page = await listWebhooks(deps, { companyId, ...pageRequest(call.query) });
        if (!page.ok) return page;
        const collectionUrl = call.baseUrl + pathTo({ companyId, webhookId: '' }).replace(/\/$/, '');
        const { webhooks, continuation } = page.value;
        const items = webhooks.map(({ value }) => webhookToBody(value));
        return ok({ status: 200, body: pageBody(items, { continuation, query: call.query, collectionUrl }) });
      },
    }),
    defineRoute({
      operationId: name('get', 'webhook'),
      method: 'GET',
      path: one,
      tag: 'webhooks',
      summary: 'A webhook',
      roles: scope.reads,
      conditions: 'read',
      pathSchema: scope.one,
      refuses: ['webhook-not-found'],
      fails: ['vault'],
      answers: { 200: 'The webhook.' },
      answerSchema: webhookBody,
      run: async (deps: WebhookServices, call) => {
        const webhook = await getWebhook(deps, scope.placeOf(call.path));
        if (!webhook.ok) return webhook;
        return ok({ status: 200, body: webhookToBody(webhook.value.value), etag: webhook.value.etag });
      },
    }),
    defineRoute({
      operationId: name('list', 'webhook-deliveries'),
      method: 'GET',
      path: `${one}/deliveries`,
      tag: 'webhooks',
      summary: 'How far it was told, and what fails',
      roles: scope.reads,
      pathSchema: scope.one,
      querySchema: pageQuery,
      refuses: ['webhook-not-found'],
      fails: ['vault'],
      answers: { 200: 'A page: one item for each company whose events it gets.' },
      answerSchema: deliveryPage,
      run: async (deps: WebhookServices, call) => {
        const place = scope.placeOf(call.path);
        const page = await listDeliveries(deps, { ...place, ...pageRequest(call.query) });
        if (!page.ok) return page;
        const { cursors, continuation } = page.value;
        const collectionUrl = `${call.baseUrl}${pathTo(place)}/deliveries`;
        const items = cursors.map(deliveryToBody);
        return ok({ status: 200, body: pageBody(items, { continuation, query: call.query, collectionUrl }) });
      },
    }),
    defineRoute({
      operationId: name('list', 'dead-letters'),
      method: 'GET',
      path: `${one}/dead-letters`,
      tag: 'webhooks',
      summary: 'Events that were given up',
      roles: scope.reads,
      pathSchema: scope.one,
      querySchema: pageQuery,
      refuses: ['webhook-not-found'],
      fails: ['vault'],
      answers: { 200: 'A page, by company and in the order of its events.' },
      answerSchema: deadLetterPage,
      run: async (deps: WebhookServices, call) => {
        const place = scope.placeOf(call.path);
        const page = await listDeadLetters(deps, { ...place, ...pageRequest(call.query) });
        if (!page.ok) return page;
        const { letters, continuation } = page.value;
        const collectionUrl = `${call.baseUrl}${pathTo(place)}/dead-letters`;
        const items = letters.map(letterToBody);
        return ok({ status: 200, body: pageBody(items, { continuation, query: call.query, collectionUrl }) });
      },
    }),
  ];
}
