// What Entra and Google answered people in the wild, to a token request and in a redirect back, with ids and names replaced: whose
// move it is, and what its words must and must not say. Where each was seen stands beside it.
import { describe, expect, it } from 'vitest';
import { classifyEntraError } from '../../shared/identity/entra/answers.ts';
import type { Failure, FailureCode, FailureOwner } from '../../shared/domain/failure.ts';
import { excuseFreshConsent } from '../../shared/identity/entra/consent.ts';
import { microsoftRefusal } from '../../shared/identity/entra/sign-in-answer.ts';
import { googleRefusal } from '../../shared/identity/google/sign-in-answer.ts';
import { refusedAtGoogle } from '../identity/judged.ts';
import { afterLook } from '../../shared/domain/health.ts';

const TENANT = '11111111-0000-4000-8000-000000000001';
const FACTS = { tenantId: TENANT, appId: '22222222-0000-4000-8000-000000000002' };
const IDS =
  'Trace ID: 66666666-0000-4000-8000-000000000006 Correlation ID: 55555555-0000-4000-8000-000000000005 Timestamp: 2026-01-01 00:00:00Z';
const words = (failure: Failure): string =>
  JSON.stringify([failure.message, failure.cause, failure.remedy.text, failure.remedy.azureCli, failure.remedy.portal]);
const describedAs = (number: number, text: string): string => `AADSTS${number}: ${text} ${IDS}`;

describe('what the vendor alone can mend', () => {
  it.each<[number, string, string, FailureCode]>([
    [
      700231,
      'Token obtained using another federated identity credential may not be used as federated identity credential.',
      'Azure/azure-workload-identity#1363',
      'federation-mismatch',
    ],
    [
      700229,
      'Forbidden token type. Only app-only tokens may be used as Federated Identity Credentials for AAD issuer.',
      'MicrosoftDocs/azure-docs#109083',
      'federation-mismatch',
    ],
    [
      500011,
      'The resource principal named api://AzureADTokenExchange./default was not found in the tenant named Vendor.',
      'AzureAD/microsoft-identity-web#2793',
      'federation-mismatch',
    ],
    [
      500011,
      'The resource principal named api://AzureADTokenExchange was not found in the tenant named Vendor.',
      'hashicorp/terraform-provider-azurerm#28059, in another cloud',
      'federation-mismatch',
    ],
    [
      700027,
      'Client assertion failed signature validation.',
      'MicrosoftDocs/entra-docs reference-error-codes',
      'entra-error',
    ],
    [50012, 'Client assertion contains an invalid signature.', 'the same', 'entra-error'],
    [
      7002121,
      "No matching federated identity record found for presented assertion audience 'https://management.azure.com/'.",
      'public trial of cross-tenant federation with managed identities, December 2024',
      'federation-mismatch',
    ],
    [
      7002203,
      'No matching federated identity record found for presented assertion subject.',
      'public write-ups of agent identities',
      'federation-mismatch',
    ],
    [700227, 'Forbidden token audience.', 'the trial of December 2024', 'federation-mismatch'],
    [
      700214,
      "The audience of the federated identity credential must be 'api://AzureADTokenExchange'.",
      'public write-ups of federation across clouds',
      'federation-mismatch',
    ],
    [
      700263,
      'More than one federated identity credential matches the assertion.',
      'public write-ups of federation across clouds',
      'federation-mismatch',
    ],
    [
      700021,
      "Client assertion application identifier doesn't match 'client_id' parameter.",
      'MicrosoftDocs/azure-dev-docs, troubleshooting of ClientAssertionCredential',
      'entra-error',
    ],
    [700023, 'Client assertion audience claim does not match Realm issuer.', 'the same', 'entra-error'],
    [
      50013,
      'Assertion failed signature validation. [Reason - The key was not found.]',
      'MicrosoftDocs/entra-docs reference-error-codes',
      'entra-error',
    ],
    [
      7000110,
      'Request is ambiguous, multiple application identifiers found.',
      'MicrosoftDocs/SupportArticles-docs error-code-aadsts7000110',
      'entra-error',
    ],
    [
      7000218,
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
      'many public threads',
      'entra-error',
    ],
    [900144, "The request body must contain the following parameter: 'scope'.", 'the same', 'entra-error'],
    [
      1002012,
      'The provided value for scope https://vault.azure.net is not valid.',
      'Azure/azure-sdk-for-java#28019',
      'entra-error',
    ],
    [
      9002313,
      'Invalid request. Request is malformed or invalid.',
      'MicrosoftDocs/entra-docs reference-error-codes',
      'entra-error',
    ],
  ])('AADSTS%i (%s) from %s', (number, text, _source, code) => {
    const found = classifyEntraError({ status: 400, message: describedAs(number, text) }, FACTS);
    expect([found.code, found.owner]).toEqual([code, 'vendor']);
    expect(words(found)).not.toContain('cfa8b339');
    // What is no clock's fault is not laid at one, and Entra's own words are there.
    expect(words(found)).not.toMatch(/clock/);
    if (code === 'entra-error') expect(found.message).toContain(`AADSTS${number}, ${text.slice(0, 20)}`);
  });

  it.each([700214, 700227, 700263, 7002203, 7002699])(
    'AADSTS%i without a word is of federated credentials by its number',
    (aadsts) => {
      const found = classifyEntraError({ aadsts, message: '' }, FACTS);
      expect(found).toMatchObject({ code: 'federation-mismatch', facts: { detail: `AADSTS${aadsts}` } });
    },
  );

  it.each([70020, 700200, 7002000, 7002701, 70021000])('AADSTS%i is none of that family', (aadsts) => {
    expect(classifyEntraError({ aadsts, message: '' }, FACTS).code).toBe('entra-refused');
  });
});

describe('a token that Entra refused', () => {
  it.each<[number, string, string, FailureCode, FailureOwner, RegExp]>([
    [
      5000225,
      'This tenant has been blocked due to inactivity. To learn more about tenant lifecycle policies, see https://aka.ms/TenantLifecycle',
      'Learn Q&A 5811022, 5856864; MicrosoftDocs/entra-docs tenant-inaccessible',
      'entra-tenant-blocked',
      'company-admin',
      /An administrator of the tenant must contact Microsoft within 20 days/,
    ],
    [
      5000224,
      'We are sorry, this resource is not available. If you are seeing this message by mistake, please contact Microsoft support.',
      'KelvinTegelaar/CIPP error words',
      'entra-tenant-blocked',
      'company-admin',
      /must contact Microsoft/,
    ],
    [
      5000229,
      'We are sorry, this resource is not available. If you are seeing this message by mistake, please contact Microsoft support.',
      'microsoft/aspire CI of 2026: a tenant that had expired',
      'entra-tenant-blocked',
      'company-admin',
      /must contact Microsoft/,
    ],
    [
      500014,
      "The service principal for resource 'https://vault.azure.net' is disabled. This indicate that a subscription within the tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens from being issued for it.",
      'AzureAD/microsoft-authentication-library-for-dotnet#4905',
      'entra-resource-disabled',
      'company-admin',
      /a subscription of the tenant lapsed.*az ad sp update --id cfa8b339-82a2-471a-a3c9-0fc0be7a4093 --set accountEnabled=true/,
    ],
    [
      500011,
      'The resource principal named https://vault.azure.net was not found in the tenant named Contoso.',
      'MicrosoftDocs/entra-docs reference-error-codes',
      'entra-resource-disabled',
      'company-admin',
      /add the enterprise application.*az ad sp create --id cfa8b339-82a2-471a-a3c9-0fc0be7a4093/,
    ],
    [
      650052,
      "The app needs access to a service ('https://vault.azure.net') that your organization 'Contoso' has not subscribed to or enabled.",
      'MicrosoftDocs/azure-docs#52572',
      'entra-resource-disabled',
      'company-admin',
      /no service principal of Azure Key Vault/,
    ],
    ...[
      [
        700222,
        'AAD-issued tokens may not be used for federated identity flows.',
        'MicrosoftDocs/azure-docs#90276, #116459',
      ],
      [
        700226,
        'Only MSI tokens may be used as Federated Identity Credentials for AAD issuer.',
        'public thread on cross-tenant federation',
      ],
      [
        700229,
        'Forbidden token type. Only app-only tokens can be used as Federated Identity Credentials for AAD issuer.',
        'MicrosoftDocs/azure-docs#109083',
      ],
      [
        700236,
        `Entra ID tokens issued by issuer 'https://login.microsoftonline.com/${TENANT}/v2.0' may not be used for federated identity credential flows for applications or managed identities registered in this tenant.`,
        'public threads: app and managed identity in two tenants',
      ],
    ].map(([number, text, source]): [number, string, string, FailureCode, FailureOwner, RegExp] => [
      Number(number),
      String(text),
      String(source),
      'federation-mismatch',
      'vendor',
      /none of a managed identity in the tenant of the app.*App registration and managed identity have to be in one tenant/,
    ]),
    ...[
      [
        700223,
        'The federated identity credential is blocked by a policy.',
        'Azure DevOps docs, troubleshoot workload identity',
      ],
      [
        700238,
        'Tokens issued by this issuer are blocked by a policy of the tenant.',
        'Azure DevOps docs, troubleshoot workload identity',
      ],
      [
        7002381,
        'Federated identity credentials issued by this issuer must contain the enterprise claim.',
        'public runbooks of GitHub federation',
      ],
    ].map(([number, text, source]): [number, string, string, FailureCode, FailureOwner, RegExp] => [
      Number(number),
      String(text),
      String(source),
      'federation-mismatch',
      'vendor',
      /policies for application credentials/,
    ]),
    [
      700212,
      "No matching federated identity record found for presented assertion audience 'api://AzureADTokenExchange'.",
      'Azure/login#452',
      'federation-mismatch',
      'vendor',
      /no credential has the audience api:\/\/AzureADTokenExchange.*KEYSWITCH_TOKEN_EXCHANGE_AUDIENCE/,
    ],
    [
      700024,
      'Client assertion is not within its valid time range. Current time: 2026-01-01T00:00:00Z, expiry time of assertion 2025-12-31T23:00:00Z.',
      'Azure/login#180; AzureAD/microsoft-authentication-library-for-dotnet#4951',
      'entra-error',
      'vendor',
      /clock or stale identity token/,
    ],
    [
      900432,
      'Confidential Client is not supported in Cross Cloud request.',
      'MicrosoftDocs/entra-docs reference-error-codes',
      'entra-tenant-not-found',
      'company-admin',
      /in this cloud/,
    ],
    [
      50194,
      "Application '22222222-0000-4000-8000-000000000002' is not configured as a multi-tenant application.",
      'MicrosoftDocs/entra-docs reference-error-codes: in no row of ours',
      'entra-error',
      'vendor',
      /AADSTS50194, Application '22222222-0000-4000-8000-000000000002' is not configured as a multi-tenant application/,
    ],
  ])('AADSTS%i %s (%s): %s, the move of %s', (aadsts, text, _source, code, owner, say) => {
    const found = classifyEntraError(
      { aadsts, status: 400, message: `invalid_request: ${describedAs(aadsts, text)}` },
      FACTS,
    );
    expect([found.code, found.owner]).toEqual([code, owner]);
    expect(words(found)).toMatch(say);
    expect(words(found)).not.toMatch(/Trace ID|Correlation ID/);
  });

  it.each([5000225, 5000224, 5000229, 500014, 500011, 90002, 700222, 700024])(
    'AADSTS%i is no revocation, however often it is seen',
    (aadsts) => {
      const failure = classifyEntraError({ aadsts, message: '' }, { ...FACTS, inUse: true });
      const look = { outcome: 'failed', failure, warnings: [] } as const;
      const twice = afterLook(afterLook(undefined, look, new Date(0)), look, new Date(1));
      expect(twice.state).toBe('unreachable');
      expect(failure.remedy.text).not.toMatch(/leave it out/);
    },
  );

  it.each([5000225, 500014])('AADSTS%i does not promise that it passes', (aadsts) => {
    const found = classifyEntraError({ aadsts, message: '' }, FACTS);
    expect(found.kind).toBe('denied');
    expect(words(found)).not.toMatch(/try again by ourselves/);
  });
});

describe('a sign-in that Microsoft sent back', () => {
  it.each<[string, number, string, FailureCode, FailureOwner, RegExp]>([
    [
      'invalid_request',
      90099,
      "The application 'x' (Keyswitch) has not been authorized in the tenant 'y'. Applications must be authorized to access the external tenant before partner delegated administrators can use them.",
      'admin-role-missing',
      'company-admin',
      /an administrator of the tenant itself.*no delegated partner/,
    ],
    [
      'access_denied',
      530034,
      'A delegated administrator was blocked from accessing the tenant due to account risk in their home tenant.',
      'admin-role-missing',
      'company-admin',
      /an administrator of the tenant itself/,
    ],
    ...[50177, 50178, 50020, 16000, 16003, 50034, 500341, 90072, 90084].map(
      (number): [string, number, string, FailureCode, FailureOwner, RegExp] => [
        'interaction_required',
        number,
        "User account 'someone' from identity provider 'https://sts.windows.net/33333333-0000-4000-8000-000000000003/' does not exist in tenant 'Contoso' and cannot access the application",
        'sign-in-wrong-tenant',
        'company-admin',
        /another Entra tenant/,
      ],
    ),
    ...[50020, 50178].map((number): [string, number, string, FailureCode, FailureOwner, RegExp] => [
      'interaction_required',
      number,
      "User account 'someone' from identity provider 'live.com' does not exist in tenant 'Contoso' and cannot access the application",
      'sign-in-wrong-tenant',
      'company-admin',
      /A personal Microsoft account/,
    ]),
    [
      'access_denied',
      500200,
      "User account 'someone@outlook.example' is a personal Microsoft account. Personal Microsoft accounts are not supported for this application unless explicitly invited to an organization.",
      'sign-in-wrong-tenant',
      'company-admin',
      /A personal Microsoft account cannot speak for the company/,
    ],
    [
      'access_denied',
      530003,
      'Your device is required to be managed to access this resource.',
      'blocked-by-conditional-access',
      'azure-admin',
      /device and place that the policy allows/,
    ],
    [
      'access_denied',
      500121,
      'Authentication failed during strong authentication request.',
      'sign-in-refused',
      'azure-admin',
      /User sign-ins/,
    ],
    ...[
      [50011, "The redirect URI 'https://someone.example/consent/callback' does not match."],
      [50194, "Application 'someone' is not configured as a multi-tenant application."],
      [7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."],
      [900971, 'No reply address provided.'],
    ].map(([number, text]): [string, number, string, FailureCode, FailureOwner, RegExp] => [
      'invalid_request',
      Number(number),
      String(text),
      'entra-refused',
      'vendor',
      /Tell the vendor.*opening the link again changes nothing.*App registrations/,
    ]),
    [
      'access_denied',
      999_999,
      'Words of tomorrow.',
      'entra-refused',
      'company-admin',
      /^(?!.*Service principal).*User sign-ins \(interactive\)/,
    ],
    ...[500201, 500207, 500208, 9002332, 90027].map(
      (number): [string, number, string, FailureCode, FailureOwner, RegExp] => [
        'invalid_request',
        number,
        'The domain is not a valid login domain for the account type.',
        'sign-in-wrong-tenant',
        'company-admin',
        /A personal Microsoft account/,
      ],
    ),
    [
      'interaction_required',
      5000225,
      'This tenant has been blocked due to inactivity.',
      'entra-tenant-blocked',
      'company-admin',
      /20 days/,
    ],
    [
      'access_denied',
      650052,
      'The app needs access to a service.',
      'entra-resource-disabled',
      'company-admin',
      /Key Vault/,
    ],
    ['access_denied', 500571, 'The guest user account is disabled.', 'sign-in-refused', 'azure-admin', /AADSTS500571/],
  ])('%s with AADSTS%i: %s', (error, number, text, code, owner, say) => {
    const found = microsoftRefusal({ error, description: describedAs(number, text) }, FACTS);
    expect([found.code, found.owner]).toEqual([code, owner]);
    expect(words(found)).toMatch(say);
    // Anybody can write the redirect: none of its text is shown.
    expect(words(found)).not.toMatch(/someone|Contoso/);
    expect(found.kind).not.toBe('transient');
  });
});

it('Microsoft’s service for personal accounts has no numbers, and is known by its words', () => {
  const description = 'The client does not exist or is not enabled for consumers.';
  const found = microsoftRefusal({ error: 'unauthorized_client', description }, FACTS);
  expect([found.code, found.owner]).toEqual(['sign-in-wrong-tenant', 'company-admin']);
  expect(found.message).toBe('A personal Microsoft account cannot speak for the company.');
});

describe('a sign-in that Google sent back', () => {
  it.each<[string, FailureCode, FailureOwner, RegExp]>([
    ['org_internal', 'google-not-configured', 'vendor', /user type of the OAuth client to External/],
    ['admin_policy_enforced', 'sign-in-refused', 'company-admin', /Google Admin console, under app access control/],
    ['access_not_configured', 'sign-in-refused', 'company-admin', /Google Admin console, under app access control/],
    ['policy_enforced', 'sign-in-refused', 'company-admin', /Advanced Protection/],
    ['disallowed_useragent', 'sign-in-refused', 'company-admin', /in the window of another app/],
    ['login_required', 'sign-in-refused', 'company-admin', /Open the link again/],
    ['access_denied', 'consent-declined', 'company-admin', /Super Admin/],
    ['redirect_uri_mismatch', 'google-not-configured', 'vendor', /KEYSWITCH_PUBLIC_URL/],
    ['origin_mismatch', 'google-not-configured', 'vendor', /KEYSWITCH_PUBLIC_URL/],
    ['restricted_client', 'google-not-configured', 'vendor', /admin\.directory\.user\.readonly/],
    ['invalid_scope', 'google-not-configured', 'vendor', /admin\.directory\.user\.readonly/],
    ['invalid_client', 'google-not-configured', 'vendor', /KEYSWITCH_GOOGLE_CLIENT_ID/],
    ['deleted_client', 'google-not-configured', 'vendor', /KEYSWITCH_GOOGLE_CLIENT_ID/],
    ['disabled_client', 'google-not-configured', 'vendor', /KEYSWITCH_GOOGLE_CLIENT_ID/],
    ['rate_limit_exceeded', 'google-unreachable', 'vendor', /in a few minutes/],
    ['server_error', 'google-unreachable', 'vendor', /in a few minutes/],
    ['invalid_grant', 'sign-in-unknown', 'company-admin', /same browser/],
    ['invalid_request', 'google-not-configured', 'vendor', /OAuth 2\.0 policy/],
  ])(
    '%s (support.google.com/accounts/answer/16668185 and public threads): %s, the move of %s',
    (error, code, owner, say) => {
      const found = googleRefusal({ error, description: 'Words of Google.' });
      expect([found.code, found.owner]).toEqual([code, owner]);
      expect(words(found)).toMatch(say);
      expect(words(found)).not.toMatch(/Entra|Azure|Microsoft/);
    },
  );

  it('from another domain may be of the same Workspace, and the words say so', () => {
    const person = { domain: 'contoso-alias.example', isSuperAdmin: true };
    const found = refusedAtGoogle(person, 'contoso.example')!;
    expect(found.code).toBe('google-wrong-domain');
    expect(words(found)).toContain('may be another domain of the same Workspace');
    expect(words(found)).not.toContain('another Google Workspace');
  });

  it('with a personal account is told so, and nothing of another domain', () => {
    const found = refusedAtGoogle({}, 'contoso.example')!;
    expect([found.code, found.owner]).toEqual(['google-wrong-domain', 'company-admin']);
    expect(words(found)).toMatch(/A personal Google account.*Workspace account of a Super Admin/);
    expect(words(found)).not.toMatch(/another|Entra|Microsoft/);
  });
});

describe('a service principal that is not there right after somebody accepted', () => {
  it.each([700016, 7000229, 65001, 700011])(
    'by AADSTS%i is still on its way, and nothing has to be installed',
    (aadsts) => {
      const found = excuseFreshConsent(classifyEntraError({ aadsts, message: '' }, FACTS));
      expect(found).toMatchObject({ code: 'consent-required', kind: 'propagating' });
      expect(found.remedy).toEqual({ text: expect.stringContaining('Wait a minute, open this link again') as string });
    },
  );

  it('is another thing than one that was switched off, and than any other failure', () => {
    for (const aadsts of [7000112, 700213, 53003]) {
      const found = classifyEntraError({ aadsts, message: '' }, FACTS);
      expect(excuseFreshConsent(found)).toBe(found);
    }
  });
});
