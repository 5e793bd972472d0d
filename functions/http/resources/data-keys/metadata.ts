// Data keys as things that are listed, deleted and restored: metadata is not a key.
import type * as z from 'zod';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import { ok, type Result } from '../../../../shared/domain/result.ts';
import type { CallCounting } from '../../../../shared/operations/audit/data-key-calls.ts';
import type { Loaded } from '../../../../shared/store/control-state.ts';
import { deleteDataKey, type DeletingOne } from '../../../../shared/operations/data-keys/delete.ts';
import { getDataKey } from '../../../../shared/operations/data-keys/get.ts';
import { listDataKeys, type DataKeyPage } from '../../../../shared/operations/data-keys/list.ts';
import { restoreDataKey } from '../../../../shared/operations/data-keys/restore.ts';
import type { DataKeyView } from '../../../../shared/operations/data-keys/view.ts';
import type { CallPlaces } from '../../kernel/call-places.ts';
import { exactCondition } from '../../kernel/preconditions.ts';
import type { Answer } from '../../kernel/answer-json.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { dataKeyPath, keyringPath, noFields } from '../../kernel/schemas/ids.ts';
import { pageBody, pageOf, pageRequest } from '../../kernel/schemas/pages.ts';
import { dataKeyBody, dataKeyListQuery, dataKeyToBody } from './bodies.ts';
import { counted } from './count.ts';

export type MetadataServices = DeletingOne & CallCounting & { readonly callPlaces: Pick<CallPlaces, 'run'> };

export const COLLECTION = '/companies/{companyId}/keyrings/{keyringId}/datakeys';
const ONE = `${COLLECTION}/{keyId}`;

const one = (found: Result<Loaded<DataKeyView>, Refusal>): Result<Answer<z.input<typeof dataKeyBody>>, Refusal> =>
  found.ok ? ok({ status: 200, body: dataKeyToBody(found.value.value), etag: found.value.etag }) : found;

export const metadataRoutes = [
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
    refuses: [
      'keyring-not-found',
      'keyring-not-ready',
      'switch-in-progress',
      'company-key-changed',
      'overloaded',
      'too-many-requests',
    ],
    answers: { 200: 'A page.' },
    answerSchema: pageOf(dataKeyBody),
    run: (deps: MetadataServices, call) =>
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
    refuses: ['keyring-not-found', 'keyring-not-ready', 'data-key-not-found', 'overloaded', 'too-many-requests'],
    answers: { 200: 'The metadata.' },
    answerSchema: dataKeyBody,
    run: (deps: MetadataServices, call) =>
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
      'too-many-requests',
    ],
    fails: ['vault'],
    answers: { 200: 'Deleted; `purgeAfter` says until when it can be restored.' },
    answerSchema: dataKeyBody,
    run: (deps: MetadataServices, call) =>
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
      'too-many-requests',
    ],
    fails: ['vault'],
    answers: { 200: 'Restored.' },
    answerSchema: dataKeyBody,
    run: (deps: MetadataServices, call) =>
      deps.callPlaces.run({ companyId: call.path.companyId, keys: 1 }, async () =>
        one(
          await counted(deps, call, {
            operationId: 'restore-data-key',
            result: await restoreDataKey(deps, { ...call.path, ...exactCondition(call) }),
          }),
        ),
      ),
  }),
] as const;

/** A copy of wrapped keys is counted, as every call is that hands out keys. */
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
