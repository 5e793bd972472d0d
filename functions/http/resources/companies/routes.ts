// Companies: registered and removed by the vendor alone, with their default keyring.
import * as z from 'zod';
import { ok } from '../../../../shared/domain/result.ts';
import { ALL_FEATURES, FEATURES, type Feature } from '../../../../shared/domain/company-features.ts';
import type { Company } from '../../../../shared/domain/keyring.ts';
import {
  companyDeletion,
  getCompany,
  listCompanies,
  MAX_COMPANIES_PAGE,
  putCompany,
} from '../../../../shared/operations/companies/companies.ts';
import { deleteCompany, type CompanyDeleting } from '../../../../shared/operations/companies/delete-company.ts';
import type { KeyringMaking } from '../../../../shared/operations/keyrings/keyrings.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import { conditionsOf } from '../../kernel/preconditions.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { companyId, companyPath, EXAMPLE_TIME, keyringId, time } from '../../kernel/schemas/ids.ts';
import { hasEnded, longWorkStatus } from '../../kernel/schemas/long-work.ts';
import { pageBody, pageOf, pageQueryUpTo, pageRequest } from '../../kernel/schemas/pages.ts';
import { visibleText } from '../../kernel/schemas/text.ts';

export type CompanyServices = KeyringMaking & CompanyDeleting;

const POLL_AGAIN = { 'Retry-After': '10' };

const displayName = visibleText(256);

const features = z.array(z.enum(FEATURES)).max(FEATURES.length).meta({
  description:
    'The only ones that the company may have. Asked where something new begins: what is in force stays, and to cancel, switch back, re-key and export is always free.',
});

const companyInput = z
  .strictObject({
    displayName: displayName.optional(),
    defaultKeyring: keyringId.optional(),
    features: z
      .array(z.enum([ALL_FEATURES, ...FEATURES]))
      .max(FEATURES.length + 1)
      .optional()
      .meta({ description: 'The only ones that the company may have; with `all` every one. Left out: as they are.' }),
  })
  .meta({ id: 'CompanyInput', example: { displayName: 'Contoso' } });

const companyBody = z
  .strictObject({
    companyId,
    displayName,
    defaultKeyring: keyringId,
    features: features.optional().meta({ description: 'The only ones that the company may have; absent: all.' }),
    state: z.enum(['active', 'closing', 'closed']).meta({
      description: '`closing` while a DELETE goes on; `closed` after it, only in a list with `closed=true`.',
    }),
    createdAt: time,
    closedAt: time.optional(),
  })
  .meta({
    id: 'Company',
    example: {
      companyId: 'contoso',
      displayName: 'Contoso',
      defaultKeyring: 'default',
      state: 'active',
      createdAt: EXAMPLE_TIME,
    },
  });

const deletionBody = z
  .strictObject({
    status: longWorkStatus,
    error: z
      .strictObject({ code: z.enum(['company-not-deleted']), message: z.string() })
      .optional()
      .meta({ description: 'With `Failed`: the company is there.' }),
  })
  .meta({ id: 'CompanyDeletion', example: { status: 'Running' } });

const NOT_DELETED = {
  code: 'company-not-deleted',
  message: 'The company is not being deleted. If it was asked for, something still uses it: DELETE again says what.',
} as const;

/** A removal that turned back, as one does that finds a data key in use, must end for a poller too. */
const DELETION_OF: Readonly<Record<Company['state'], z.input<typeof deletionBody>>> = {
  active: { status: 'Failed', error: NOT_DELETED },
  closing: { status: 'Running' },
  closed: { status: 'Succeeded' },
};

const companyListQuery = pageQueryUpTo(MAX_COMPANIES_PAGE).extend({
  closed: z.literal('true').optional().meta({ description: 'Those that were deleted, too.' }),
});

const shown = ({
  companyId: id,
  displayName: name,
  defaultKeyring,
  features: enabled,
  state,
  createdAt,
  closedAt,
}: Company): z.input<typeof companyBody> => ({
  companyId: id,
  displayName: name,
  defaultKeyring,
  state,
  createdAt,
  ...present({ closedAt, features: enabled && [...enabled] }),
});

function askedFeatures(named: readonly (Feature | typeof ALL_FEATURES)[]): readonly Feature[] | typeof ALL_FEATURES {
  return named.includes(ALL_FEATURES) ? ALL_FEATURES : FEATURES.filter((feature) => named.includes(feature));
}

export const companyRoutes = [
  defineRoute({
    operationId: 'list-companies',
    method: 'GET',
    path: '/companies',
    tag: 'companies',
    summary: 'All companies',
    description:
      'A token that is confined to companies is told of these alone, and one that is confined to keyrings of a company not of that company.',
    roles: ['VendorAdmin', 'Auditor'],
    reaches: 'own',
    querySchema: companyListQuery,
    answers: { 200: 'A page, in the order of ids.' },
    answerSchema: pageOf(companyBody),
    run: async (deps: CompanyServices, call) => {
      const closed = call.query.closed !== undefined;
      const { companies: only } = call;
      const page = await listCompanies(deps, { ...pageRequest(call.query), closed, ...present({ only }) });
      if (!page.ok) return page;
      const { value, continuation } = page.value;
      const items = value.map((company) => shown(company.value));
      const collectionUrl = `${call.baseUrl}/companies${closed ? '?closed=true' : ''}`;
      return ok({ status: 200, body: pageBody(items, { continuation, query: call.query, collectionUrl }) });
    },
  }),
  defineRoute({
    operationId: 'put-company',
    method: 'PUT',
    path: '/companies/{companyId}',
    tag: 'companies',
    summary: 'Register a company, with its default keyring, or change it',
    description:
      'The same call again finishes what an earlier one left undone. The id of a company that was deleted is never used again: 410 `company-closed`.',
    roles: ['VendorAdmin'],
    conditions: 'write',
    pathSchema: companyPath,
    bodySchema: companyInput,
    refuses: ['keyring-not-found', 'company-closed', 'company-closing'],
    fails: ['vault'],
    answers: { 200: 'It was there.', 201: 'Made.' },
    answerSchema: companyBody,
    run: async (deps: CompanyServices, call) => {
      const { displayName: name, defaultKeyring, features: enabled } = call.body;
      const put = await putCompany(
        deps,
        {
          ...call.path,
          ...conditionsOf(call),
          ...present({ displayName: name, defaultKeyring, features: enabled && askedFeatures(enabled) }),
        },
        call.actor,
      );
      if (!put.ok) return put;
      const { value, etag, created } = put.value;
      return ok({ status: created ? 201 : 200, body: shown(value), etag });
    },
  }),
  defineRoute({
    operationId: 'get-company',
    method: 'GET',
    path: '/companies/{companyId}',
    tag: 'companies',
    summary: 'A company',
    roles: ['VendorAdmin', 'CompanyAdmin', 'Auditor'],
    conditions: 'read',
    pathSchema: companyPath,
    refuses: ['company-closed'],
    answers: { 200: 'The company.' },
    answerSchema: companyBody,
    run: async (deps: CompanyServices, call) => {
      const company = await getCompany(deps, call.path);
      return company.ok ? ok({ status: 200, body: shown(company.value.value), etag: company.value.etag }) : company;
    },
  }),
  defineRoute({
    operationId: 'delete-company',
    method: 'DELETE',
    path: '/companies/{companyId}',
    tag: 'companies',
    summary: 'Remove a company that has no data keys in use',
    description:
      'Refused during a switch, with data keys in use, and while deleted ones can be restored: 409, which says until when. A closed row stays, and the record.',
    roles: ['VendorAdmin'],
    conditions: 'delete',
    pathSchema: companyPath,
    refuses: ['company-has-data-keys', 'company-has-restorable-data-keys', 'switch-in-progress'],
    answers: {
      202: 'Decided; it goes on by itself, and Operation-Location says how far it is.',
      204: 'Deleted, now or before.',
    },
    run: async (deps: CompanyServices, call) => {
      const deleted = await deleteCompany(deps, { ...call.path, ...conditionsOf(call) }, call.actor);
      if (!deleted.ok) return deleted;
      if (deleted.value === 'deleted') return ok({ status: 204 });
      const url = `${call.baseUrl}/companies/${call.path.companyId}/deletion`;
      return ok({ status: 202, headers: { 'Operation-Location': url, ...POLL_AGAIN } });
    },
  }),
  defineRoute({
    operationId: 'get-company-deletion',
    method: 'GET',
    path: '/companies/{companyId}/deletion',
    tag: 'companies',
    summary: 'How far the removal of a company is; also once it is gone',
    roles: ['VendorAdmin', 'Auditor'],
    pathSchema: companyPath,
    isFollowed: true,
    answers: { 200: 'The status.' },
    answerSchema: deletionBody,
    run: async (deps: CompanyServices, call) => {
      const state = await companyDeletion(deps, call.path);
      if (!state.ok) return state;
      const body = DELETION_OF[state.value];
      return ok({ status: 200, body, headers: hasEnded(body.status) ? {} : POLL_AGAIN });
    },
  }),
] as const;
