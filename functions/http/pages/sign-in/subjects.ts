// What a link asks for, as pages show it. Pure.
import { isHostedByVendor } from '../../../../shared/identity/registry/tenant-kinds.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import type { Asked } from '../../../../shared/operations/sign-ins/asked.ts';
import type { ConsentNow, VerificationNow } from '../../../../shared/operations/sign-ins/subject-now.ts';
import type { Approval, ConsentSubject, Subject, VerificationSubject } from './views.ts';

export function subjectOf({ subject, ...asked }: Asked): Subject {
  return subject.purpose === 'consent'
    ? consentSubject({ ...asked, subject })
    : verificationSubject({ ...asked, subject });
}

const aboutOf = ({
  company,
  link,
}: Omit<Asked, 'subject'>): Pick<Subject, 'company' | 'requestedBy' | 'expiresAt'> => ({
  company: { id: company.companyId, displayName: company.displayName },
  requestedBy: link.value.requestedBy,
  expiresAt: link.value.expiresAt,
});

export const consentSubject = (asked: Asked<ConsentNow>): ConsentSubject => {
  const { connection, key, target, movedTo } = asked.subject;
  return {
    purpose: 'consent',
    ...aboutOf(asked),
    connectionId: connection.value.connectionId,
    key: { ...key, tenantId: target.tenantId },
    ...(movedTo === undefined ? {} : present({ movedFrom: connection.value.tenantId })),
    applicationId: connection.value.credential.clientId,
  };
};

export const verificationSubject = (asked: Asked<VerificationNow>): VerificationSubject => {
  const { kind, tenantId } = asked.subject;
  return {
    purpose: 'verification',
    ...aboutOf(asked),
    tenant: { kind, id: tenantId },
    approval: approvalOf(asked.subject),
  };
};

function approvalOf({ approval, key, target }: VerificationNow): Approval {
  const { keyringId } = approval;
  if (approval.for === 'export') return { for: 'export', keyringId, recipient: approval.recipient };
  const { tenantId, ref, credential } = target;
  const isHosted = credential !== undefined && isHostedByVendor(credential);
  return {
    for: 'switch',
    keyringId,
    switchId: approval.switchId,
    destination: { ...key, tenantId, isVendors: ref.connectionId === undefined, isHosted },
  };
}
