// Data keys of a keyring. Generating, importing and unwrapping are for the vendor's backend alone; metadata is not a key.
import * as z from 'zod';
import { err, ok, type Result } from '../../../../shared/domain/result.ts';
import { refusedBy, type Refusal } from '../../../../shared/domain/refusal.ts';
import type { Loaded } from '../../../../shared/operations/control-state.ts';
import { deleteDataKey, type DeletingOne } from '../../../../shared/operations/data-keys/delete.ts';
import {
  describeNewDataKeys,
  generateDataKeys,
  type Generating,
} from '../../../../shared/operations/data-keys/generate.ts';
import { getDataKey } from '../../../../shared/operations/data-keys/get.ts';
import { listDataKeys, type DataKeyPage } from '../../../../shared/operations/data-keys/list.ts';
import { restoreDataKey } from '../../../../shared/operations/data-keys/restore.ts';
import { unwrapDataKeys, wholeFailure, type UnwrapOutcome } from '../../../../shared/operations/data-keys/unwrap.ts';
import type { DataKeyView } from '../../../../shared/operations/data-keys/view.ts';
import {
  beginRequest,
  singleRequest,
  type RequestIdentity,
  type Requesting,
} from '../../../../shared/operations/requests.ts';
import type { CallCounting } from '../../../../shared/operations/audit/data-key-calls.ts';
import type { CallPlaces } from '../../kernel/call-places.ts';
import { counted } from './count.ts';
import { exactCondition } from '../../kernel/preconditions.ts';
import { defineRoute, type Answer, type CallContext } from '../../kernel/route.ts';
import { dataKeyPath, keyringPath, noFields } from '../../kernel/schemas/ids.ts';
import {
  createdToBody,
  dataKeyBody,
  dataKeyListQuery,
  dataKeyToBody,
  newDataKeys,
  newDataKeysAnswer,
  newDataKeysBody,
  unwrapAnswer,
  unwrapBody,
  unwrappedToBody,
} from './bodies.ts';
import { pageBody, pageOf, pageRequest } from '../../kernel/schemas/pages.ts';

export type DataKeyServices = Generating &
  DeletingOne &
  Requesting &
  CallCounting & { readonly callPlaces: Pick<CallPlaces, 'run'> };

const COLLECTION = '/companies/{companyId}/keyrings/{keyringId}/datakeys';
const ONE = `${COLLECTION}/{keyId}`;

const one = (found: Result<Loaded<DataKeyView>, Refusal>): Result<Answer<z.input<typeof dataKeyBody>>, Refusal> =>
  found.ok ? ok({ status: 200, body: dataKeyToBody(found.value.value), etag: found.value.etag }) : found;

export const dataKeyRoutes = [
  defineRoute({
    operationId: 'create-data-keys',
    method: 'POST',
    path: COLLECTION,
    tag: 'data-keys',
    summary: 'Generate or import data keys, 1 to 1,000 in a call',
    description:
      'An outcome for each, in the order of the request. Answers with the plaintexts of generated keys. An error for the whole call means that no key was made by it, but for 500 and 503 `store-unavailable`, after which some may have been. A repeat with the same Idempotency-Key answers with the same keys, and with the plaintexts of generated ones again. Which ids were made before a crash, unwrapping them tells.',
    roles: ['DataKeys'],
    idempotencyKey: true,
    carriesKeys: true,
    pathSchema: keyringPath,
    bodySchema: newDataKeysBody,
    refuses: ['keyring-not-found', 'keyring-not-ready', 'keyring-full', 'company-closing', 'overloaded'],
    fails: ['vault'],
    answers: { 200: 'An outcome for each key.' },
    answerSchema: newDataKeysAnswer,
    run: (deps: DataKeyServices, call) =>
      deps.callPlaces.run({ companyId: call.path.companyId, keys: call.body.keys.length }, async () => {
        const keys = newDataKeys(call.body.keys);
        const request = await requestOf(
          deps,
          { ...call.path, body: describeNewDataKeys(call.path.keyringId, keys) },
          call,
        );
        if (!request.ok) return request;
        const made = await counted(deps, call, {
          operationId: 'create-data-keys',
          result: await generateDataKeys(deps, { ...call.path, keys, request: request.value }),
          keys: (value) => value.keys,
        });
        if (!made.ok) return made;
        const { keyringId, keys: outcomes } = made.value;
        return ok({ status: 200, body: { keyringId, keys: outcomes.map((outcome) => createdToBody(outcome, call)) } });
      }),
  }),
  defineRoute({
    operationId: 'list-data-keys',
    method: 'GET',
    path: COLLECTION,
    tag: 'data-keys',
    summary: 'Metadata of the data keys of a keyring',
    description:
      'With `wrapped=true`, which takes the role Keyswitch.CompanyAdmin, each also with its wrapped form: what an exported company key opens. All pages are then under the one company key in force; 409 `switch-in-progress` while a switch moves data keys, 409 `company-key-changed` if one has ended since the first page.',
    roles: ['VendorAdmin', 'Auditor'],
    rolesWith: { parameter: 'wrapped', roles: ['CompanyAdmin'] },
    pathSchema: keyringPath,
    querySchema: dataKeyListQuery,
    refuses: ['keyring-not-found', 'keyring-not-ready', 'switch-in-progress', 'company-key-changed', 'overloaded'],
    answers: { 200: 'A page.' },
    answerSchema: pageOf(dataKeyBody),
    run: (deps: DataKeyServices, call) =>
      deps.callPlaces.run({ companyId: call.path.companyId, keys: pageRequest(call.query).limit }, async () => {
        const { companyId, keyringId } = call.path;
        const wrapped = call.query.wrapped !== undefined;
        const listed = await listDataKeys(deps, { ...call.path, ...pageRequest(call.query), wrapped });
        const page = wrapped ? await copied(deps, call, listed) : listed;
        if (!page.ok) return page;
        const collectionUrl = `${call.baseUrl}/companies/${companyId}/keyrings/${keyringId}/datakeys${wrapped ? '?wrapped=true' : ''}`;
        const { value, continuation } = page.value;
        return ok({
          status: 200,
          body: pageBody(value.map(dataKeyToBody), { continuation, query: call.query, collectionUrl }),
          ...(wrapped ? { headers: { 'Cache-Control': 'no-store' } } : {}),
        });
      }),
  }),
  defineRoute({
    operationId: 'get-data-key',
    method: 'GET',
    path: ONE,
    tag: 'data-keys',
    summary: 'Metadata of a data key',
    roles: ['VendorAdmin', 'Auditor'],
    conditions: 'read',
    pathSchema: dataKeyPath,
    refuses: ['keyring-not-found', 'keyring-not-ready', 'data-key-not-found', 'overloaded'],
    answers: { 200: 'The metadata.' },
    answerSchema: dataKeyBody,
    run: (deps: DataKeyServices, call) =>
      deps.callPlaces.run({ companyId: call.path.companyId, keys: 1 }, async () =>
        one(await getDataKey(deps, call.path)),
      ),
  }),
  defineRoute({
    operationId: 'delete-data-key',
    method: 'DELETE',
    path: ONE,
    tag: 'data-keys',
    summary: 'Delete a data key; restorable for a time',
    description: 'Deleting a deleted key again changes nothing. A quarantined one waits for its decision: 409.',
    roles: ['VendorAdmin', 'DataKeys'],
    conditions: 'delete',
    pathSchema: dataKeyPath,
    refuses: [
      'keyring-not-found',
      'keyring-not-ready',
      'data-key-not-found',
      'data-key-quarantined',
      'data-key-lost',
      'company-closing',
      'overloaded',
    ],
    fails: ['vault'],
    answers: { 200: 'Deleted; `purgeAfter` says until when it can be restored.' },
    answerSchema: dataKeyBody,
    run: (deps: DataKeyServices, call) =>
      deps.callPlaces.run({ companyId: call.path.companyId, keys: 1 }, async () =>
        one(
          await counted(deps, call, {
            operationId: 'delete-data-key',
            result: await deleteDataKey(deps, { ...call.path, ...exactCondition(call) }),
          }),
        ),
      ),
  }),
  defineRoute({
    operationId: 'restore-data-key',
    method: 'POST',
    path: `${ONE}/restore`,
    tag: 'data-keys',
    summary: 'Take the deletion of a data key back',
    roles: ['VendorAdmin', 'DataKeys'],
    conditions: 'delete',
    pathSchema: dataKeyPath,
    bodySchema: noFields,
    refuses: [
      'keyring-not-found',
      'keyring-not-ready',
      'data-key-not-found',
      'data-key-not-deleted',
      'data-key-quarantined',
      'data-key-lost',
      'company-closing',
      'overloaded',
    ],
    fails: ['vault'],
    answers: { 200: 'Restored.' },
    answerSchema: dataKeyBody,
    run: (deps: DataKeyServices, call) =>
      deps.callPlaces.run({ companyId: call.path.companyId, keys: 1 }, async () =>
        one(
          await counted(deps, call, {
            operationId: 'restore-data-key',
            result: await restoreDataKey(deps, { ...call.path, ...exactCondition(call) }),
          }),
        ),
      ),
  }),
  defineRoute({
    operationId: 'unwrap-data-keys',
    method: 'POST',
    path: '/companies/{companyId}/keyrings/{keyringId}/unwrap',
    tag: 'data-keys',
    summary: 'Unwrap data keys, 1 to 1,000 in a call',
    description:
      'An outcome for each, in the order of the request. If no key can be opened for one and the same cause (the vault denies or is away), the whole call is that error, 409 or 503, as of create-data-keys; keys that are absent, deleted or lost do not change that. Outcomes with `failure` beside opened keys come while a switch moves data keys between vaults.',
    roles: ['DataKeys'],
    carriesKeys: true,
    pathSchema: keyringPath,
    bodySchema: unwrapBody,
    refuses: ['keyring-not-found', 'keyring-not-ready', 'overloaded'],
    fails: ['vault'],
    answers: { 200: 'An outcome for each key.' },
    answerSchema: unwrapAnswer,
    run: (deps: DataKeyServices, call) =>
      deps.callPlaces.run({ companyId: call.path.companyId, keys: call.body.keyIds.length }, async () => {
        const outcomes = await counted(deps, call, {
          operationId: 'unwrap-data-keys',
          result: asOneCause(await unwrapDataKeys(deps, { ...call.path, keyIds: call.body.keyIds })),
          keys: (value) => value,
        });
        if (!outcomes.ok) return outcomes;
        return ok({ status: 200, body: { keys: outcomes.value.map((outcome) => unwrappedToBody(outcome, call)) } });
      }),
  }),
] as const;

function asOneCause(unwrapped: Result<UnwrapOutcome[], Refusal>): Result<UnwrapOutcome[], Refusal> {
  const failure = unwrapped.ok ? wholeFailure(unwrapped.value) : undefined;
  return failure ? err(refusedBy(failure)) : unwrapped;
}

/** A copy of wrapped keys is counted, as whatever hands out keys is. */
const copied = (
  deps: CallCounting,
  call: Parameters<typeof counted>[1],
  result: Result<DataKeyPage, Refusal>,
): Promise<Result<DataKeyPage, Refusal>> =>
  counted(deps, call, {
    operationId: 'list-wrapped-data-keys',
    result,
    keys: (page) => page.value.map(() => ({ outcome: 'copied' })),
  });

/** With an Idempotency-Key the ids that are made here are the same at every repeat; the keys are never remembered. */
async function requestOf(
  deps: Requesting,
  asked: { readonly companyId: string; readonly body: string },
  call: CallContext,
): Promise<Result<RequestIdentity, Refusal>> {
  if (call.idempotencyKey === undefined) return ok(singleRequest(deps.entropy));
  const { companyId, body } = asked;
  return beginRequest(deps, {
    companyId,
    caller: call.subject,
    route: 'create-data-keys',
    key: call.idempotencyKey,
    body,
  });
}
