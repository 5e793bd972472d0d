// What a link asks an administrator of a tenant for. Pure.
import { approvalKey, THUMBPRINT, type Approval, type ApprovedRecipient } from './approval.ts';
import { isGuid, isResourceId } from './ids.ts';
import { isRecord } from './plain-object.ts';
import { isTenantRef, type TenantRef } from './tenant.ts';

/** Consent: the connector app may use the key of a connection. */
export interface ConsentSubject {
  readonly purpose: 'consent';
  readonly connectionId: string;
  /** The tenant that the key's vault was moved to while in force: its administrator is asked. */
  readonly movedTo?: string;
}

/** Approval: a switch or an export may go on, for the data of their tenant. */
export interface VerificationSubject extends TenantRef {
  readonly purpose: 'verification';
  readonly approval: Approval;
}

export type SignInSubject = ConsentSubject | VerificationSubject;

/** What identifies a subject, for a seal. */
export const textsOfSubject = (subject: SignInSubject): readonly string[] =>
  subject.purpose === 'consent'
    ? [subject.purpose, subject.connectionId, subject.movedTo ?? '']
    : [subject.purpose, subject.kind, subject.tenantId, approvalKey(subject.approval)];

/** Undefined if it is not one of ours. */
export function readSubject(value: unknown): SignInSubject | undefined {
  if (!isRecord(value)) return undefined;
  const { purpose, kind, tenantId } = value;
  if (purpose === 'consent') return readConsentSubject(value);
  if (purpose !== 'verification') return undefined;
  const tenant = { kind, tenantId };
  const approval = readApproval(value['approval']);
  return isTenantRef(tenant) && approval ? { purpose, ...tenant, approval } : undefined;
}

function readConsentSubject({ connectionId, movedTo }: Readonly<Record<string, unknown>>): ConsentSubject | undefined {
  if (!isId(connectionId)) return undefined;
  if (movedTo === undefined) return { purpose: 'consent', connectionId };
  return typeof movedTo === 'string' && isGuid(movedTo) ? { purpose: 'consent', connectionId, movedTo } : undefined;
}

function readApproval(value: unknown): Approval | undefined {
  if (!isRecord(value)) return undefined;
  const { keyringId, switchId, round } = value;
  if (!isId(keyringId)) return undefined;
  if (value['for'] === 'switch') return isId(switchId) ? { for: 'switch', keyringId, switchId } : undefined;
  const isRound = typeof round === 'number' && Number.isSafeInteger(round) && round >= 0;
  const recipient = readRecipient(value['recipient']);
  return value['for'] === 'export' && isRound && recipient ? { for: 'export', keyringId, round, recipient } : undefined;
}

function readRecipient(value: unknown): ApprovedRecipient | undefined {
  if (!isRecord(value)) return undefined;
  const { type, thumbprint } = value;
  if (type === 'passphrase') return { type };
  return type === 'public-key' && typeof thumbprint === 'string' && THUMBPRINT.test(thumbprint)
    ? { type, thumbprint }
    : undefined;
}

const isId = (value: unknown): value is string => typeof value === 'string' && isResourceId(value);
