// Bodies and paths of tenants. The kinds come from identity's registry.
import * as z from 'zod';
import { approvedRecipient, parseExportRecipient } from '../../../../shared/domain/export-recipient.ts';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import { ok, type Result } from '../../../../shared/domain/result.ts';
import type { Tenant } from '../../../../shared/domain/tenant.ts';
import { TENANT_KIND_NAMES, TENANT_KINDS } from '../../../../shared/identity/registry/tenant-kinds.ts';
import type { AskedApproval } from '../../../../shared/operations/sign-ins/request-verification.ts';
import { exportRecipientInput } from '../../kernel/schemas/export-recipient.ts';
import { companyPath, EXAMPLE_TIME, keyringId, switchId, time } from '../../kernel/schemas/ids.ts';

const tenantKind = z
  .enum(TENANT_KIND_NAMES, `must be ${TENANT_KIND_NAMES.join(' or ')}`)
  .meta({ description: 'Whose tenant it is.', example: 'google-workspace', param: { id: 'TenantKindParam' } });
const tenantId = z
  .string()
  .regex(/^[A-Za-z0-9.-]{1,253}$/, 'must be a GUID or a domain')
  .meta({
    description: `Of ${TENANT_KINDS.map(({ name, words }) => `\`${name}\` ${words.id}`).join('; of ')}. None of personal accounts.`,
    example: 'contoso.com',
    override: { pattern: TENANT_KINDS.map(({ idPattern }) => idPattern.source).join('|'), maxLength: 253 },
    param: { id: 'TenantIdParam' },
  });

export const tenantPath = companyPath.extend({ kind: tenantKind, tenantId });

export const tenantBody = z
  .strictObject({
    kind: z.enum(TENANT_KIND_NAMES),
    tenantId: z.string().meta({ description: 'As it is compared: in lower case.' }),
    registeredAt: time,
    customerId: z.string().optional().meta({
      description: 'Google’s id of the Workspace that was first to speak for the domain: no other one is believed.',
    }),
  })
  .meta({ id: 'Tenant', example: { kind: 'google-workspace', tenantId: 'contoso.com', registeredAt: EXAMPLE_TIME } });

/** What is to be approved. */
export const approvalInput = z
  .discriminatedUnion('for', [
    z.strictObject({ for: z.literal('switch'), keyringId, switchId }).meta({ id: 'SwitchApproval' }),
    z
      .strictObject({ for: z.literal('export'), keyringId, recipient: exportRecipientInput })
      .meta({ id: 'ExportApproval' }),
  ])
  .meta({ id: 'Approval', example: { for: 'switch', keyringId: 'default', switchId: 'to-contoso' } });

/** The public key is judged here, so that no administrator approves one that would be refused. */
export function askedApproval(input: z.output<typeof approvalInput>): Result<AskedApproval, Refusal> {
  if (input.for === 'switch') return ok(input);
  const { keyringId, recipient } = input;
  if (recipient.type === 'passphrase') return ok({ for: 'export', keyringId, recipient });
  const parsed = parseExportRecipient({ publicKey: recipient.publicKey });
  if (parsed.ok) return ok({ for: 'export', keyringId, recipient: approvedRecipient(parsed.value) });
  const { error } = parsed;
  return { ok: false, error: error.type === 'invalid' ? { ...error, target: `recipient.${error.target}` } : error };
}

export const shown = ({ kind, tenantId, registeredAt, pin }: Tenant): z.input<typeof tenantBody> => ({
  kind,
  tenantId,
  registeredAt,
  ...(pin && { customerId: pin.customerId }),
});
