// What a link asks for, as pages show it. Pure.
import type { Asked } from '../../shared/operations/sign-ins/asked.ts';
import type { ConsentSubject } from './pages/views.ts';

export const subjectOf = ({ company, link, connection, target }: Asked): ConsentSubject => ({
  purpose: 'consent',
  company: { id: company.companyId, displayName: company.displayName },
  requestedBy: link.value.requestedBy,
  expiresAt: link.value.expiresAt,
  connectionId: connection.value.connectionId,
  key: { vaultHost: target.host, keyName: target.keyName, tenantId: target.tenantId },
  applicationId: connection.value.credential.clientId,
});
