// Keyrings of a company: made under the key of the default one; a switch moves them to another provider.
import * as z from 'zod';
import { VENDORS_REF } from '../../../../shared/providers/registry/providers.ts';
import { countCall } from '../../../../shared/store/call-limit.ts';
import { ok } from '../../../../shared/domain/result.ts';
import {
  getKeyring,
  listKeyrings,
  putKeyring,
  type KeyringMaking,
  type KeyringView,
} from '../../../../shared/operations/keyrings/keyrings.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import type { CallPlaces } from '../../kernel/call-places.ts';
import { conditionsOf } from '../../kernel/preconditions.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { companyPath, count, EXAMPLE_TIME, keyringId, keyringPath, switchId, time } from '../../kernel/schemas/ids.ts';
import { providerRef } from '../../kernel/schemas/provider-ref.ts';
import { pageOf, pageQuery, sliceOf } from '../../kernel/schemas/pages.ts';

export type KeyringServices = KeyringMaking & { readonly callPlaces: Pick<CallPlaces, 'run'> };

const keyringFields = {
  keyringId,
  isDefault: z.boolean().meta({
    description: 'Data keys are made here, and opened from here, by the calls that name no keyring.',
  }),
  state: z.enum(['creating', 'ready']),
  provider: providerRef,
  companyKeyVersion: count.meta({ description: 'The version of the company key that is in force.' }),
  shardCount: count,
  switchId: switchId.optional().meta({ description: 'The unfinished switch, if there is one.' }),
  createdAt: time,
};

const KEYRING_EXAMPLE = {
  keyringId: 'default',
  isDefault: true,
  state: 'ready',
  provider: VENDORS_REF,
  companyKeyVersion: 1,
  shardCount: 32,
  createdAt: EXAMPLE_TIME,
};

const keyringInput = z
  .strictObject({
    isDefault: z.literal(true).optional(),
    provider: providerRef.optional().meta({
      description:
        'Of a new keyring: under which key it is made. One under which the company has a keyring already, or the key of the vendor; left out, that of the default keyring.',
    }),
  })
  .meta({ id: 'KeyringInput', example: { isDefault: true } });

const keyringBody = z.strictObject(keyringFields).meta({ id: 'Keyring', example: KEYRING_EXAMPLE });
const countedKeyringBody = z
  .strictObject({
    ...keyringFields,
    counts: z.strictObject({ live: count, deleted: count, quarantined: count, lost: count }),
  })
  .meta({
    id: 'CountedKeyring',
    description: 'A keyring with the exact counts of its data keys.',
    example: { ...KEYRING_EXAMPLE, counts: { live: 1200, deleted: 3, quarantined: 0, lost: 0 } },
  });

const shown = (view: KeyringView): z.input<typeof keyringBody> => ({
  keyringId: view.keyringId,
  isDefault: view.isDefault,
  state: view.state,
  provider: view.provider,
  companyKeyVersion: view.activeVersion,
  shardCount: view.shardCount,
  createdAt: view.createdAt,
  ...(view.switchId === undefined ? {} : { switchId: view.switchId }),
});

export const keyringRoutes = [
  defineRoute({
    operationId: 'list-keyrings',
    method: 'GET',
    path: '/companies/{companyId}/keyrings',
    tag: 'keyrings',
    summary: 'The keyrings of a company',
    roles: ['VendorAdmin', 'CompanyAdmin', 'Auditor'],
    pathSchema: companyPath,
    querySchema: pageQuery,
    answers: { 200: 'A page, in the order of ids.' },
    answerSchema: pageOf(keyringBody),
    run: async (deps: KeyringMaking, call) => {
      const keyrings = await listKeyrings(deps, call.path);
      if (!keyrings.ok) return keyrings;
      const collectionUrl = `${call.baseUrl}/companies/${call.path.companyId}/keyrings`;
      const items = keyrings.value.map(({ value }) => shown(value));
      return ok({
        status: 200,
        body: sliceOf(items, { idOf: (item) => item.keyringId, query: call.query, collectionUrl }),
      });
    },
  }),
  defineRoute({
    operationId: 'put-keyring',
    method: 'PUT',
    path: '/companies/{companyId}/keyrings/{keyringId}',
    tag: 'keyrings',
    summary: 'Make a keyring, or make it the default one',
    description:
      'The same call again finishes what an earlier one left undone. A keyring that is there under another provider is 409 `keyring-exists`: switch it.',
    roles: ['VendorAdmin', 'CompanyAdmin'],
    reaches: 'whole-company',
    isLimited: true,
    conditions: 'write',
    pathSchema: keyringPath,
    bodySchema: keyringInput,
    refuses: [
      'keyring-not-found',
      'keyring-exists',
      'company-closing',
      'feature-not-enabled',
      'connection-not-in-force',
      'policy-forbids',
    ],
    fails: ['vault'],
    answers: { 200: 'It was there.', 201: 'Made.' },
    answerSchema: keyringBody,
    run: async (deps: KeyringMaking, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'keyring' });
      if (!allowed.ok) return allowed;
      const { isDefault, provider } = call.body;
      const put = await putKeyring(
        deps,
        { ...call.path, ...conditionsOf(call), ...present({ isDefault, provider }) },
        call.actor,
      );
      if (!put.ok) return put;
      const { value, etag, created } = put.value;
      return ok({ status: created ? 201 : 200, body: shown(value), etag });
    },
  }),
  defineRoute({
    operationId: 'get-keyring',
    method: 'GET',
    path: '/companies/{companyId}/keyrings/{keyringId}',
    tag: 'keyrings',
    summary: 'A keyring with exact counts',
    roles: ['VendorAdmin', 'CompanyAdmin', 'Auditor'],
    answersEtag: true,
    pathSchema: keyringPath,
    refuses: ['keyring-not-found', 'overloaded'],
    answers: { 200: 'The keyring.' },
    answerSchema: countedKeyringBody,
    run: (deps: KeyringServices, call) =>
      deps.callPlaces.run({ companyId: call.path.companyId, rows: deps.shardCount }, async () => {
        const keyring = await getKeyring(deps, call.path);
        if (!keyring.ok) return keyring;
        const { value, etag } = keyring.value;
        return ok({ status: 200, body: { ...shown(value), counts: value.counts }, etag });
      }),
  }),
] as const;
