// The export of a keyring's company key, for its company alone: the vendor never receives one.
import { parseExportRecipient } from '../../../../shared/domain/export-recipient.ts';
import { ok } from '../../../../shared/domain/result.ts';
import { countCall } from '../../../../shared/store/call-limit.ts';
import { exportCompanyKey, type Exporting } from '../../../../shared/operations/exports/export-company-key.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { exportAnswer, exportBody } from './bodies.ts';
import { keyringPath } from '../../kernel/schemas/ids.ts';

export type ExportServices = Exporting;

export const exportRoutes = [
  defineRoute({
    operationId: 'export-company-key',
    method: 'POST',
    path: '/companies/{companyId}/keyrings/{keyringId}/export',
    tag: 'keyrings',
    summary: 'Export the company key, encrypted to a public key or by a passphrase',
    description:
      'Once after each completed switch, within a day; for another export every tenant is verified anew. Not while a switch is unfinished. An export whose answer was lost counts.',
    roles: ['CompanyAdmin'],
    isLimited: true,
    carriesKeys: true,
    pathSchema: keyringPath,
    bodySchema: exportBody,
    refuses: [
      'keyring-not-found',
      'keyring-not-ready',
      'switch-in-progress',
      'tenants-unverified',
      'recipient-not-approved',
      'company-closing',
    ],
    fails: ['vault'],
    answers: { 200: 'The export, for its recipient alone.' },
    answerSchema: exportAnswer,
    run: async (deps: ExportServices, call) => {
      const recipient = parseExportRecipient(call.body);
      if (!recipient.ok) return recipient;
      const allowed = await countCall(deps, { ...call.path, kind: 'export' });
      if (!allowed.ok) return allowed;
      const exported = await exportCompanyKey(deps, { ...call.path, recipient: recipient.value }, call.actor);
      if (!exported.ok) return exported;
      const { versions, ...rest } = exported.value;
      return ok({ status: 200, body: { ...rest, versions: [...versions] } });
    },
  }),
] as const;
