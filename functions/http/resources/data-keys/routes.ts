// Data keys of a keyring: generating, importing and unwrapping, for the vendor's backend alone.
import type * as z from 'zod';
import { err, ok, type Result } from '../../../../shared/domain/result.ts';
import { notFound, refusedBy, type Refusal } from '../../../../shared/domain/refusal.ts';
import { generateDataKeys, type Generating } from '../../../../shared/operations/data-keys/generate.ts';
import { describeNewDataKeys } from '../../../../shared/operations/data-keys/new-data-keys.ts';
import { unwrapDataKeys, wholeFailure, type UnwrapOutcome } from '../../../../shared/operations/data-keys/unwrap.ts';
import {
  beginRequest,
  singleRequest,
  type RequestIdentity,
  type Requesting,
} from '../../../../shared/store/requests.ts';
import { loadCompany } from '../../../../shared/store/control-state.ts';
import { counted } from './count.ts';
import { COLLECTION, metadataRoutes, type MetadataServices } from './metadata.ts';
import { refusalToResponse } from '../../kernel/errors.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import type { Answer } from '../../kernel/answer-json.ts';
import type { CallContext, Refused } from '../../kernel/route.ts';
import { companyPath, keyringPath } from '../../kernel/schemas/ids.ts';
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

type InCompany<B> = CallContext & {
  readonly path: { readonly companyId: string; readonly keyringId?: string };
  readonly body: B;
};

/** Of the path, or the company's default one. That is read anew at each call: it may be another one now. */
async function keyringOf(
  { tables }: Pick<DataKeyServices, 'tables'>,
  { path: { companyId, keyringId }, keyrings }: InCompany<unknown>,
): Promise<Result<string, Refused>> {
  if (keyringId !== undefined) return ok(keyringId);
  const company = await loadCompany(tables, companyId);
  if (!company) return err(notFound('company', companyId));
  const { defaultKeyring } = company.value;
  return keyrings && !keyrings.has(defaultKeyring) ? err({ type: 'token-confined' }) : ok(defaultKeyring);
}

const create = {
  method: 'POST',
  tag: 'data-keys',
  roles: ['DataKeys'],
  idempotencyKey: true,
  carriesKeys: true,
  bodySchema: newDataKeysBody,
  fails: ['vault'],
  answers: { 200: 'An outcome for each key.' },
  answerSchema: newDataKeysAnswer,
} as const;

const creating = (
  deps: DataKeyServices,
  call: InCompany<z.output<typeof newDataKeysBody>>,
): Promise<Result<Answer<z.input<typeof newDataKeysAnswer>>, Refused>> => {
  const { companyId } = call.path;
  return deps.callPlaces.run({ companyId, keys: call.body.keys.length }, async () => {
    const keyring = await keyringOf(deps, call);
    if (!keyring.ok) return keyring;
    const place = { companyId, keyringId: keyring.value };
    const keys = newDataKeys(call.body.keys);
    const request = await requestOf(deps, { companyId, body: describeNewDataKeys(keyring.value, keys) }, call);
    if (!request.ok) return request;
    const made = await counted(deps, call, {
      operationId: 'create-data-keys',
      result: await generateDataKeys(deps, { ...place, keys, request: request.value }),
      keys: (value) => value.keys,
    });
    if (!made.ok) return made;
    const { keyringId, keys: outcomes } = made.value;
    const { isVendorAdmin } = call;
    const errorOf = (refusal: Refusal) => refusalToResponse(refusal, call).body.error;
    const shown = outcomes.map((outcome) => createdToBody(outcome, { isVendorAdmin, errorOf }));
    return ok({ status: 200, body: { keyringId, keys: shown } });
  });
};

const unwrap = {
  method: 'POST',
  tag: 'data-keys',
  roles: ['DataKeys'],
  carriesKeys: true,
  bodySchema: unwrapBody,
  fails: ['vault'],
  answers: { 200: 'An outcome for each key.' },
  answerSchema: unwrapAnswer,
} as const;

const unwrapping = (
  deps: DataKeyServices,
  call: InCompany<z.output<typeof unwrapBody>>,
): Promise<Result<Answer<z.input<typeof unwrapAnswer>>, Refused>> => {
  const { companyId } = call.path;
  return deps.callPlaces.run({ companyId, keys: call.body.keyIds.length }, async () => {
    const keyring = await keyringOf(deps, call);
    if (!keyring.ok) return keyring;
    const place = { companyId, keyringId: keyring.value };
    const outcomes = await counted(deps, call, {
      operationId: 'unwrap-data-keys',
      result: asOneCause(await unwrapDataKeys(deps, { ...place, keyIds: call.body.keyIds })),
      keys: (value) => value,
    });
    if (!outcomes.ok) return outcomes;
    const keys = outcomes.value.map((outcome) => unwrappedToBody(outcome, call));
    return ok({ status: 200, body: { keyringId: keyring.value, keys } });
  });
};

const REFUSES_TO_CREATE = [
  'keyring-not-found',
  'keyring-not-ready',
  'keyring-full',
  'company-closing',
  'overloaded',
  'too-many-requests',
] as const;
const REFUSES_TO_UNWRAP = ['keyring-not-found', 'keyring-not-ready', 'overloaded', 'too-many-requests'] as const;

export const dataKeyRoutes = [
  defineRoute({
    operationId: 'create-data-keys',
    path: COLLECTION,
    summary: 'Generate or import data keys, 1 to 1,000 in a call',
    description:
      'An outcome for each, in the order of the request. Answers with the plaintexts of generated keys. An error for the whole call means that no key was made by it, but for 500 and 503 `store-unavailable`, after which some may have been. A repeat with the same Idempotency-Key answers with the same keys, and with the plaintexts of generated ones again. Which ids were made before a crash, unwrapping them tells.',
    pathSchema: keyringPath,
    refuses: REFUSES_TO_CREATE,
    ...create,
    run: creating,
  }),
  ...metadataRoutes,
  defineRoute({
    operationId: 'unwrap-data-keys',
    path: '/companies/{companyId}/keyrings/{keyringId}/unwrap',
    summary: 'Unwrap data keys, 1 to 1,000 in a call',
    description:
      'An outcome for each, in the order of the request. If no key can be opened for one and the same cause (the vault denies or is away), the whole call is that error, 409 or 503, as of create-data-keys; keys that are absent, deleted or lost do not change that. Outcomes with `failure` beside opened keys come while a switch moves data keys between vaults.',
    pathSchema: keyringPath,
    refuses: REFUSES_TO_UNWRAP,
    ...unwrap,
    run: unwrapping,
  }),
  defineRoute({
    operationId: 'create-data-keys-by-default',
    path: '/companies/{companyId}/datakeys',
    summary: "Generate or import data keys in the company's default keyring",
    description:
      'As create-data-keys, in the keyring that is the default one now; the answer names it. Remember it with what the keys encrypt: the default may be another one later, and a repeat with the same Idempotency-Key is then 409 `idempotency-key-reused`.',
    reaches: 'own',
    pathSchema: companyPath,
    refuses: [...REFUSES_TO_CREATE, 'token-confined'],
    ...create,
    run: creating,
  }),
  defineRoute({
    operationId: 'unwrap-data-keys-by-default',
    path: '/companies/{companyId}/unwrap',
    summary: "Unwrap data keys of the company's default keyring",
    description:
      'As unwrap-data-keys, from the keyring that is the default one now, which the answer names: a key of another keyring is `not-found`. One read more than where the keyring is named.',
    reaches: 'own',
    pathSchema: companyPath,
    refuses: [...REFUSES_TO_UNWRAP, 'token-confined'],
    ...unwrap,
    run: unwrapping,
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
