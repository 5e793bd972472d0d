// Microsoft 365 tenants as a kind of tenants: their ids, their words, how their administrators sign in. Pure over a client.
import { failure } from './words/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { GUID_IN_ANY_CASE, isGuid } from '../../domain/ids.ts';
import { err, ok } from '../../domain/result.ts';
import type { AdminConsent, SignInClient, TenantKind, TenantSignIn } from '../identity.ts';
import { signInJudgedBy } from '../judged-sign-in.ts';
import { callbackErrorOf } from '../oauth-answer.ts';
import { excuseFreshConsent } from './consent.ts';
import { judgeMicrosoftAdmin, type MicrosoftPerson } from './admin.ts';
import { microsoftRefusal } from './sign-in-answer.ts';

/** Where personal Microsoft accounts are: it has no administrator who could agree. */
const PERSONAL_ACCOUNTS = '9188040d-6c67-4c5b-b112-36a304b66dad';
const NO_TENANT = '00000000-0000-0000-0000-000000000000';

export const MICROSOFT_365: TenantKind = {
  name: 'microsoft-365',
  idPattern: GUID_IN_ANY_CASE,
  words: {
    service: 'Microsoft',
    tenant: 'Microsoft 365 tenant',
    id: 'the GUID of the Entra tenant',
    speaker: {
      article: 'Somebody with the role',
      roles: ['Global Administrator', 'Privileged Role Administrator'],
      place: 'in the Entra tenant',
      note: 'A role that is only eligible must be activated first.',
    },
    signIn:
      'It shows who you are and which roles you have; you sign in anew for it, also where you are signed in already. Microsoft may ask you to accept the application for that; it gets no access to mail, files or users.',
  },
  notItsAdmin: (tenantId) => failure('sign-in-wrong-tenant', { tenantId }),
  parseId: (typed) => {
    const id = typed.toLowerCase();
    if (!isGuid(id) || id === NO_TENANT) return err('must be the GUID of an Entra tenant');
    return id === PERSONAL_ACCOUNTS ? err('is where personal accounts are, and no tenant of a company') : ok(id);
  },
};

/** What the kind needs of Entra. */
export interface MicrosoftClient extends SignInClient<MicrosoftPerson> {
  /** Where a tenant's administrator installs the connector app. */
  adminConsentUrl: AdminConsent['url'];
}

export const signInAtMicrosoft = (client: MicrosoftClient): TenantSignIn => signInJudgedBy(client, judgeMicrosoftAdmin);

export const consentAtMicrosoft = (client: MicrosoftClient): AdminConsent => ({
  url: (request) => client.adminConsentUrl(request),
  refusalIn,
  excuseFresh: excuseFreshConsent,
});

/** `admin_consent=True` stands beside errors too, and an attacker can write any tenant into the query: a hint and no more. */
function refusalIn(query: string, tenantId: string): Failure | undefined {
  const told = callbackErrorOf(query);
  if (told) return microsoftRefusal(told, { tenantId });
  const hinted = new URLSearchParams(query).get('tenant');
  return hinted === null || hinted.toLowerCase() === tenantId
    ? undefined
    : failure('sign-in-wrong-tenant', { tenantId, detail: 'the redirect names another tenant' });
}
