// Connections of a company: how its vault key is reached, whether it can be, and what its Azure admin must do.
import type { z } from 'zod';
import { present } from '../../../../shared/domain/plain-object.ts';
import { ok } from '../../../../shared/domain/result.ts';
import {
  testConnection,
  type ConnectionTestDependencies,
} from '../../../../shared/operations/connections/connection-test.ts';
import {
  deleteConnection,
  getConnection,
  listConnections,
  putConnection,
  type ConnectionsDependencies,
} from '../../../../shared/operations/connections/connections.ts';
import type { Loaded } from '../../../../shared/store/control-state.ts';
import type { Connection } from '../../../../shared/domain/connection.ts';
import { requestConsent } from '../../../../shared/operations/sign-ins/request-consent.ts';
import type { SignInDependencies } from '../../../../shared/operations/sign-ins/step.ts';
import type { KnownProviders } from '../../../../shared/providers/provider.ts';
import { countCall } from '../../../../shared/store/call-limit.ts';
import { conditionsOf } from '../../kernel/preconditions.ts';
import type { Answer } from '../../kernel/answer-json.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { connectionBody, connectionInput, connectionToBody, testBody, testInput, testToBody } from './bodies.ts';
import { keyVersionRoutes } from './key-versions.ts';
import { lookRoutes, type LookServices } from './look.ts';
import { COLLECTION, ONE, READS, SETS_UP } from './places.ts';
import { linkToBody } from '../../kernel/links.ts';
import { linkBody } from '../../kernel/schemas/sign-in-link.ts';
import { companyPath, connectionPath, noFields } from '../../kernel/schemas/ids.ts';
import { pageBody, pageOf, pageQuery, pageRequest } from '../../kernel/schemas/pages.ts';

export type ConnectionServices = ConnectionsDependencies &
  ConnectionTestDependencies &
  LookServices &
  SignInDependencies & {
    /** Whether the vendor's word is enough where a company's admin would be asked. */
    readonly vendorMaySwitch: boolean;
  };

const answer = (
  { providers }: { readonly providers: KnownProviders },
  { value, etag }: Loaded<Connection>,
  status: 200 | 201,
): Answer<z.input<typeof connectionBody>> => ({
  status,
  body: connectionToBody(value, providers),
  etag,
});

export const connectionRoutes = [
  defineRoute({
    operationId: 'list-connections',
    method: 'GET',
    path: COLLECTION,
    tag: 'connections',
    summary: 'The connections of a company',
    description: 'A stored connection that somebody else wrote is left out, and is a security event.',
    roles: READS,
    pathSchema: companyPath,
    querySchema: pageQuery,
    fails: ['vault'],
    answers: { 200: 'A page, in the order of ids.' },
    answerSchema: pageOf(connectionBody),
    run: async (deps: ConnectionServices, call) => {
      const page = await listConnections(deps, { ...call.path, ...pageRequest(call.query) });
      if (!page.ok) return page;
      const { connections, continuation } = page.value;
      const collectionUrl = `${call.baseUrl}/companies/${call.path.companyId}/connections`;
      const items = connections.map(({ value }) => connectionToBody(value, deps.providers));
      return ok({ status: 200, body: pageBody(items, { continuation, query: call.query, collectionUrl }) });
    },
  }),
  defineRoute({
    operationId: 'put-connection',
    method: 'PUT',
    path: ONE,
    tag: 'connections',
    summary: 'Enter how a vault key is reached',
    description:
      'One that is in use keeps its vault, key and tenant: 409 connection-in-use. One of the kind `vendor-hosted` is made, changed and removed by the vendor ' +
      'alone (403 vendor-admin-only), and its key is claimed with it: 409 vault-key-in-use if another company has it, or a key in the same vault.',
    roles: SETS_UP,
    isLimited: true,
    conditions: 'write',
    pathSchema: connectionPath,
    bodySchema: connectionInput,
    refuses: ['connection-in-use', 'company-closing', 'feature-not-enabled', 'vendor-admin-only'],
    fails: ['input', 'vault'],
    answers: { 200: 'It was there.', 201: 'Made.' },
    answerSchema: connectionBody,
    run: async (deps: ConnectionServices, call) => {
      const { tenantId, ...required } = call.body;
      const input = { ...required, ...present({ tenantId }) };
      // What is typed wrong costs nothing but words; what is right may cost a signature, and is counted.
      const wanted = deps.providers.ofInput(input).parse(input);
      if (!wanted.ok) return wanted;
      const allowed = await countCall(deps, { ...call.path, kind: 'connection' });
      if (!allowed.ok) return allowed;
      const put = await putConnection(
        deps,
        { ...call.path, input, condition: conditionsOf(call), byVendor: call.isVendorAdmin },
        call.actor,
      );
      return put.ok ? ok(answer(deps, put.value, put.value.created ? 201 : 200)) : put;
    },
  }),
  defineRoute({
    operationId: 'get-connection',
    method: 'GET',
    path: ONE,
    tag: 'connections',
    summary: 'A connection',
    roles: READS,
    conditions: 'read',
    pathSchema: connectionPath,
    refuses: ['connection-not-found'],
    fails: ['vault'],
    answers: { 200: 'The connection.' },
    answerSchema: connectionBody,
    run: async (deps: ConnectionServices, call) => {
      const connection = await getConnection(deps, call.path);
      return connection.ok ? ok(answer(deps, connection.value, 200)) : connection;
    },
  }),
  defineRoute({
    operationId: 'delete-connection',
    method: 'DELETE',
    path: ONE,
    tag: 'connections',
    summary: 'Remove a connection that nothing depends on',
    roles: SETS_UP,
    conditions: 'delete',
    pathSchema: connectionPath,
    refuses: ['connection-not-found', 'connection-in-use', 'vendor-admin-only'],
    fails: ['vault'],
    answers: { 204: 'Gone.' },
    run: async (deps: ConnectionServices, call) => {
      const deleted = await deleteConnection(
        deps,
        { ...call.path, condition: conditionsOf(call), byVendor: call.isVendorAdmin },
        call.actor,
      );
      return deleted.ok ? ok({ status: 204 }) : deleted;
    },
  }),
  defineRoute({
    operationId: 'test-connection',
    method: 'POST',
    path: `${ONE}/test`,
    tag: 'connections',
    summary: 'Test, from the typed values to a round trip with the key',
    description: 'A vault that refuses is a result, not an error. Answers at once; it never waits for Azure.',
    roles: SETS_UP,
    isLimited: true,
    pathSchema: connectionPath,
    bodySchema: testInput,
    refuses: ['connection-not-found'],
    fails: ['vault'],
    answers: { 200: 'What was found.' },
    answerSchema: testBody,
    run: async (deps: ConnectionServices, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'test' });
      if (!allowed.ok) return allowed;
      const roleAssigned = call.body?.roleAssigned;
      const tested = await testConnection(deps, { ...call.path, ...present({ roleAssigned }) }, call.actor);
      return tested.ok ? ok({ status: 200, body: testToBody(tested.value, call) }) : tested;
    },
  }),
  defineRoute({
    operationId: 'request-consent',
    method: 'POST',
    path: `${ONE}/consent`,
    tag: 'connections',
    summary: "A link that asks an administrator of the vault's tenant for consent",
    description:
      'Leads to a page of ours, which may be opened by another person. Opening it gives nothing and consumes nothing. Where a vault in force ' +
      'was moved to another Entra tenant, an administrator of that one is asked, at the word of an admin of the company; then a test ends the move.',
    roles: SETS_UP,
    isLimited: true,
    pathSchema: connectionPath,
    bodySchema: noFields,
    refuses: ['connection-not-found', 'company-admin-only', 'company-closing', 'consent-not-needed'],
    fails: ['vault'],
    answers: { 200: 'The link, to be sent to the administrator.' },
    answerSchema: linkBody,
    run: async (deps: ConnectionServices, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'consent' });
      if (!allowed.ok) return allowed;
      const made = await requestConsent(
        deps,
        { ...call.path, byVendor: !call.isCompanyAdmin && !deps.vendorMaySwitch },
        call.actor,
      );
      return made.ok
        ? ok({ status: 200, body: linkToBody(made.value, { origin: call.origin, asksFor: 'consent' }) })
        : made;
    },
  }),
  ...lookRoutes,
  ...keyVersionRoutes,
] as const;
