// Every page there is, with names as people really have them, and hostile ones.
import { failure } from '../../../../shared/failures.ts';
import { failurePage } from '../../../../functions/http/pages/shell/failure-page.ts';
import type { Html } from '../../../../functions/http/pages/shell/html.ts';
import type { PageContext, PageOf } from '../../../../functions/http/pages/shell/layout.ts';
import { leavingPage } from '../../../../functions/http/pages/shell/leaving-page.ts';
import { pageFor } from '../../../../functions/http/pages/sign-in/render.ts';
import { subjectFacts } from '../../../../functions/http/pages/sign-in/subject.ts';
import type { ConsentSubject, PageView, VerificationSubject } from '../../../../functions/http/pages/sign-in/views.ts';

const asked = {
  company: { id: 'contoso', displayName: 'Contoso Steel & Sons' },
  requestedBy:
    'https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0 8f1c5a3e-0f55-4d3e-9a10-2f4b6c7d8e9f asserting "maria.huber@fabrikam.example"',
  expiresAt: '2026-11-25T18:17:04.123Z',
};

export const consent: ConsentSubject = {
  ...asked,
  purpose: 'consent',
  connectionId: 'main-vault',
  key: {
    vaultHost: 'contoso-customer-keys.vault.azure.net',
    keyName: 'backup-encryption-key',
    tenantId: '22222222-2222-4222-8222-222222222222',
  },
  applicationId: '33333333-3333-4333-8333-333333333333',
};

const verification: VerificationSubject = {
  ...asked,
  purpose: 'verification',
  tenant: { kind: 'microsoft-365', id: '44444444-4444-4444-8444-444444444444', displayName: 'Contoso Production' },
  approval: {
    for: 'switch',
    keyringId: 'default',
    switchId: 'switch-2026-11-24',
    destination: { isVendors: false, ...consent.key },
  },
};

const google: VerificationSubject = {
  ...verification,
  tenant: { kind: 'google-workspace', id: 'contoso.example' },
  approval: {
    for: 'export',
    keyringId: 'default',
    recipient: { type: 'public-key', thumbprint: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' },
  },
};

const toVendor: VerificationSubject = {
  ...verification,
  approval: {
    for: 'switch',
    keyringId: 'default',
    switchId: 'back-again',
    destination: {
      isVendors: true,
      vaultHost: 'fabrikam-keys.vault.azure.net',
      keyName: 'keyswitch-kek',
      tenantId: '11111111-1111-4111-8111-111111111111',
    },
  },
};

const toHosted: VerificationSubject = {
  ...verification,
  approval: {
    for: 'switch',
    keyringId: 'default',
    switchId: 'to-hosted',
    destination: { isVendors: false, isHosted: true, ...consent.key },
  },
};

const MARKUP = '<script>document.title="taken over"</script><img src=x onerror="document.title=1">';
const OVERRIDE = '\u202e\u2069moc.elpmaxe\u202d';

/** Names that would like to be markup, to turn the line around, or to push everything else off the page. */
const hostile: ConsentSubject = {
  ...consent,
  company: { id: 'evil', displayName: `${MARKUP} ${OVERRIDE} שלום` },
  requestedBy: `"'></dd></dl><h1>Done</h1> ${OVERRIDE}`,
  key: { ...consent.key, keyName: 'k'.repeat(127) },
};
const endless: VerificationSubject = {
  ...google,
  company: { id: 'long', displayName: 'Wide'.repeat(64) },
  tenant: { kind: 'google-workspace', id: `${'a'.repeat(63)}.${'b'.repeat(63)}.example`, displayName: 'W'.repeat(256) },
};

const startAction = '/consent/pages/start-consent';
const action = '/consent/pages/form';
const field = { name: 'state', value: 'contoso~Zm9yIG9uZSBhbnN3ZXIgb25seSwgYW5kIG5vIG1vcmU' };
const person = { displayName: 'admin@contoso.example', id: '55555555-5555-4555-8555-555555555555' };
const denied = failure('access-denied-rbac', {
  ...consent.key,
  appId: consent.applicationId,
  principalId: '66666666-6666-4666-8666-666666666666',
});
const { code, message, cause } = failure('entra-unreachable');
const passing = { code, message, cause };
const failed = {
  code: 'internal-error',
  message: 'Something went wrong here.',
  requestId: '77777777-7777-4777-8777-777777777777',
  mayPass: false,
} as const;

export const about = (context: PageContext): Html => subjectFacts(consent, context);

const views: Readonly<Record<string, PageView>> = {
  'start-consent': { page: 'start', subject: consent, action: startAction },
  'start-verification-microsoft': { page: 'start', subject: verification, action: startAction },
  'start-verification-google': { page: 'start', subject: google, action: startAction },
  'start-verification-to-vendor': { page: 'start', subject: toVendor, action: startAction },
  'start-verification-to-hosted': { page: 'start', subject: toHosted, action: startAction },
  'start-hostile': { page: 'start', subject: hostile, action: startAction },
  'start-endless': { page: 'start', subject: endless, action: startAction },
  'confirmation-consent': { page: 'confirmation', subject: consent, action, person, field },
  'confirmation-verification': { page: 'confirmation', subject: verification, action, person, field },
  'confirmation-export': { page: 'confirmation', subject: google, action, person, field },
  'consent-granted': {
    page: 'consent-granted',
    subject: consent,
    principalId: '66666666-6666-4666-8666-666666666666',
    ...(denied.remedy.azureCli === undefined ? {} : { azureCli: denied.remedy.azureCli }),
  },
  'tenant-verified': { page: 'tenant-verified', subject: verification, tenantsLeft: 2 },
  'tenant-verified-last': { page: 'tenant-verified', subject: verification, tenantsLeft: 0 },
  'tenant-verified-export': { page: 'tenant-verified', subject: google, tenantsLeft: 0 },
  'declined-consent': { page: 'declined', subject: consent },
  'declined-verification': { page: 'declined', subject: google },
};

export const pages: Readonly<Record<string, PageOf>> = {
  ...Object.fromEntries(Object.entries(views).map(([name, view]) => [name, pageFor(view)])),
  'failure-plain': failurePage(failed),
  'failure-remedy': failurePage({ ...failed, ...denied, requestId: failed.requestId, about }),
  'failure-again': failurePage({
    ...failed,
    ...passing,
    about,
    mayPass: true,
    again: { action, fields: { state: field.value, answer: 'confirm' } },
  }),
  'failure-link': failurePage({ ...failed, code: 'link-expired', message: 'The link has expired.' }),
  'failure-faults': failurePage({
    ...failed,
    code: 'invalid-request',
    message: 'The request is not valid; details name every fault.',
    faults: ['query.state: This field is required.', 'query.colour: There is no such field.'],
  }),
  leaving: () => leavingPage({ service: 'Microsoft', to: 'https://login.microsoftonline.com/x?a=1&b="2"' }),
};
