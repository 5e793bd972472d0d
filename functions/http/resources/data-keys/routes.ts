// Data keys of a keyring: generating, importing and unwrapping, for the vendor's backend alone.
import { err, ok, type Result } from '../../../../shared/domain/result.ts';
import { refusedBy, type Refusal } from '../../../../shared/domain/refusal.ts';
import { generateDataKeys, type Generating } from '../../../../shared/operations/data-keys/generate.ts';
import { describeNewDataKeys } from '../../../../shared/operations/data-keys/new-data-keys.ts';
import { unwrapDataKeys, wholeFailure, type UnwrapOutcome } from '../../../../shared/operations/data-keys/unwrap.ts';
import {
  beginRequest,
  singleRequest,
  type RequestIdentity,
  type Requesting,
} from '../../../../shared/store/requests.ts';
import { counted } from './count.ts';
import { COLLECTION, metadataRoutes, type MetadataServices } from './metadata.ts';
import { refusalToResponse } from '../../kernel/errors.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import type { CallContext } from '../../kernel/route.ts';
import { keyringPath } from '../../kernel/schemas/ids.ts';
import {
  createdToBody,
  newDataKeys,
  newDataKeysAnswer,
  newDataKeysBody,
  unwrapAnswer,
  unwrapBody,
  unwrappedToBody,
} from './bodies.ts';

export type DataKeyServices = Generating & Requesting & MetadataServices;

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
    refuses: [
      'keyring-not-found',
      'keyring-not-ready',
      'keyring-full',
      'company-closing',
      'overloaded',
      'too-many-requests',
    ],
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
        const { isVendorAdmin } = call;
        const errorOf = (refusal: Refusal) => refusalToResponse(refusal, call).body.error;
        const shown = outcomes.map((outcome) => createdToBody(outcome, { isVendorAdmin, errorOf }));
        return ok({ status: 200, body: { keyringId, keys: shown } });
      }),
  }),
  ...metadataRoutes,
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
    refuses: ['keyring-not-found', 'keyring-not-ready', 'overloaded', 'too-many-requests'],
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
