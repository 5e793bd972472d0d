// What is wrong with people who came back from a sign-in; undefined if they may speak for the tenant.
import type { Failure } from '../../shared/domain/failure.ts';
import type { Result } from '../../shared/domain/result.ts';
import { judgeMicrosoftAdmin, type MicrosoftPerson } from '../../shared/identity/entra/admin.ts';
import { judgeGoogleAdmin, type GooglePerson } from '../../shared/identity/google/admin.ts';

export const SINCE = new Date('2026-01-01T12:00:00.000Z');
export const secondsAfter = (seconds: number): Date => new Date(SINCE.getTime() + seconds * 1000);

const ADA = { objectId: '22222222-0000-4000-8000-000000000002', displayName: 'Ada', authenticatedAt: SINCE };
const SOFIA = {
  subject: '1',
  email: 'sofia@acme.example',
  isSuperAdmin: false,
  isDelegatedAdmin: false,
  workspace: { customerId: 'C03abc123', isDomainProved: true },
};

const failureIn = (judged: Result<unknown, Failure>): Failure | undefined => (judged.ok ? undefined : judged.error);

export const refusedAtMicrosoft = (
  person: Partial<MicrosoftPerson> & Pick<MicrosoftPerson, 'tenantId'>,
  tenantId: string,
): Failure | undefined => failureIn(judgeMicrosoftAdmin({ ...ADA, ...person }, { tenantId, since: SINCE }));

export const refusedAtGoogle = (person: Partial<GooglePerson>, tenantId: string): Failure | undefined =>
  failureIn(judgeGoogleAdmin({ ...SOFIA, ...person }, { tenantId, since: SINCE }));
