// Webhooks of a company, and the vendor's own that are told of the events of all companies.
import * as z from 'zod';
import { NO_COMPANY } from '../../../../shared/domain/ids.ts';
import { companyPath, webhookId, webhookPath } from '../../kernel/schemas/ids.ts';
import { changing } from './changing.ts';
import { reading } from './reading.ts';
import type { Scope } from './scope.ts';

export type { WebhookServices } from './scope.ts';

const OF_A_COMPANY: Scope<typeof companyPath, typeof webhookPath> = {
  name: (verb, what) => `${verb}-${what}`,
  path: '/companies/{companyId}/webhooks',
  whose: "a company's events",
  collection: companyPath,
  one: webhookPath,
  companyOf: ({ companyId }) => companyId,
  placeOf: (path) => path,
  reads: ['VendorAdmin', 'CompanyAdmin', 'Auditor'],
  changes: ['VendorAdmin', 'CompanyAdmin'],
};

const nothing = z.strictObject({});
const ofAllPath = z.strictObject({ webhookId });

const OF_ALL: Scope<typeof nothing, typeof ofAllPath> = {
  name: (verb, what) => `${verb}-global-${what}`,
  path: '/webhooks',
  whose: 'the events of all companies, and of none,',
  collection: nothing,
  one: ofAllPath,
  companyOf: () => NO_COMPANY,
  placeOf: (path) => ({ companyId: NO_COMPANY, ...path }),
  reads: ['VendorAdmin', 'Auditor'],
  changes: ['VendorAdmin'],
};

export const webhookRoutes = [
  ...reading(OF_A_COMPANY),
  ...changing(OF_A_COMPANY),
  ...reading(OF_ALL),
  ...changing(OF_ALL),
];
