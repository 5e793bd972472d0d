import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aadstsOf, classifyEntraError } from '../../../shared/identity/entra/answers.ts';
import { FAILURE_CODES } from '../../../shared/failures.ts';

const APP = '22222222-0000-4000-8000-000000000002';
const TENANT = '11111111-0000-4000-8000-000000000001';
const FACTS = { appId: APP, tenantId: TENANT };
const SUBJECT = '7E5D0000-0000-4000-8000-0000000000D2';
const CORRELATION = '55555555-0000-4000-8000-000000000005';

/** As the SDK words it: only the text is left of the answer. */
const sdkText = (number: number, text: string): string =>
  `invalid_client: Error(s): ${number} - Timestamp: 2026-01-01 00:00:00Z - Description: AADSTS${number}: ${text} - ` +
  `Correlation ID: ${CORRELATION} - Trace ID: 66666666-0000-4000-8000-000000000006`;

describe('what Entra answers', () => {
  it.each([
    [700016, `Application with identifier '${APP}' was not found in the directory '${TENANT}'.`, 'consent-required'],
    [
      7000229,
      `The client application ${APP} is missing service principal in the tenant ${TENANT}.`,
      'consent-required',
    ],
    [7000112, `Application '${APP}'(Keyswitch) is disabled.`, 'consent-required'],
    [65001, 'The user or administrator has not consented.', 'consent-required'],
    [65004, 'User declined to consent to access the app.', 'consent-declined'],
    [7000215, 'Invalid client secret provided.', 'client-secret-wrong'],
    [7000222, 'The provided client secret keys are expired.', 'client-secret-expired'],
    [70021, 'No matching federated identity record found for presented assertion.', 'federation-mismatch'],
    [700211, "No matching federated identity record found for presented assertion issuer 'x'.", 'federation-mismatch'],
    [
      700212,
      "No matching federated identity record found for presented assertion audience 'x'.",
      'federation-mismatch',
    ],
    [700213, "No matching federated identity record found for presented assertion subject 'x'.", 'federation-mismatch'],
    [7002137, 'No matching federated identity record found.', 'federation-mismatch'],
    [7002138, 'The subject matches with case-insensitive comparison.', 'federation-mismatch'],
    [90002, `Tenant '${TENANT}' not found.`, 'entra-tenant-not-found'],
    [53003, 'Access has been blocked by Conditional Access policies.', 'blocked-by-conditional-access'],
    [530032, 'Blocked by Conditional Access.', 'blocked-by-conditional-access'],
    [90033, 'A transient error has occurred.', 'entra-unreachable'],
    [90006, 'An external server error has occurred.', 'entra-unreachable'],
    [90024, 'RequestBudgetExceededError: a transient error has occurred.', 'entra-unreachable'],
    [50196, 'The server terminated an operation because it encountered a client request loop.', 'entra-throttled'],
    [90055, 'The request has been throttled.', 'entra-throttled'],
    [500011, 'The resource principal named https://vault.azure.net was not found.', 'entra-resource-disabled'],
    [50194, 'Application is not configured as a multi-tenant application.', 'entra-error'],
  ])('AADSTS%i means %3$s, by number or by text', (number, text, expected) => {
    expect(classifyEntraError({ aadsts: number, message: text }, FACTS).code).toBe(expected);
    expect(classifyEntraError({ message: sdkText(number, text) }, FACTS).code).toBe(expected);
  });

  it.each([
    [429, 'slow down', 'entra-throttled'],
    [503, '', 'entra-unreachable'],
    [undefined, 'getaddrinfo ENOTFOUND login.microsoftonline.com', 'entra-unreachable'],
    [undefined, 'endpoints_resolution_error: Endpoints cannot be resolved', 'entra-unreachable'],
    [
      undefined,
      'ManagedIdentityCredential: Authentication failed. Message Description: Unable to load the proper Managed Identity.',
      'managed-identity-unavailable',
    ],
    [undefined, 'something else', 'entra-error'],
  ])('status %s with %s means %s', (status, message, expected) => {
    expect(classifyEntraError({ message, ...(status === undefined ? {} : { status }) }, FACTS).code).toBe(expected);
  });

  it('says which part of the federated credential does not fit', () => {
    const text = `No matching federated identity record found for presented assertion subject '${SUBJECT}'.`;
    expect(classifyEntraError({ message: sdkText(700213, text) }, FACTS).facts.detail).toBe(
      `no credential has the subject ${SUBJECT}`,
    );
  });

  it('keeps the correlation id and the number, for support', () => {
    expect(classifyEntraError({ message: sdkText(7000229, 'x') }, FACTS).service).toMatchObject({
      code: 'AADSTS7000229',
      correlationId: CORRELATION,
    });
  });

  it('tells an app that was switched off from one that was never there', () => {
    const disabled = classifyEntraError({ aadsts: 7000112, message: 'disabled' }, FACTS);
    expect(disabled.remedy.azureCli).toBe(`az ad sp update --id ${APP} --set accountEnabled=true`);
    const absent = classifyEntraError({ aadsts: 7000229, message: 'missing' }, FACTS);
    expect(absent.remedy.azureCli).toBe(`az login --tenant ${TENANT}\naz ad sp create --id ${APP}`);
  });

  it('never fails, and never takes an unknown answer for a denial', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.integer(), { nil: undefined }), (message, status) => {
        const found = classifyEntraError({ message, ...(status === undefined ? {} : { status }) }, {});
        expect(FAILURE_CODES).toContain(found.code);
        expect(found.kind).toBe('transient');
      }),
    );
  });
});

describe('the AADSTS number of a text', () => {
  it('is the first one', () => {
    expect(aadstsOf(sdkText(700213, 'see also AADSTS70021'))).toBe(700213);
  });
  it('is none where there is none', () => {
    expect(aadstsOf('AADSTSx AADSTS12 700016')).toBeUndefined();
  });
});
