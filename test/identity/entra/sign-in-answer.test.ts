import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURE_CODES } from '../../../shared/failures.ts';
import { microsoftRefusal } from '../../../shared/identity/entra/sign-in-answer.ts';

const TENANT = '11111111-0000-4000-8000-000000000001';
const CORRELATION = '55555555-0000-4000-8000-000000000005';
const FACTS = { tenantId: TENANT };

const described = (number: number): string =>
  `AADSTS${number}: Words of Entra. Trace ID: 66666666-0000-4000-8000-000000000006 Correlation ID: ${CORRELATION} Timestamp: 2026-01-01 00:00:00Z`;

describe('an error of Entra in the redirect back, or in place of tokens', () => {
  it.each([
    ['access_denied', 65004, 'consent-declined'],
    ['consent_required', 65004, 'consent-declined'],
    ['consent_required', 65001, 'consent-required'],
    ['access_denied', 90093, 'admin-role-missing'],
    ['access_denied', 90094, 'admin-role-missing'],
    ['access_denied', 900941, 'admin-role-missing'],
    ['unauthorized_client', 700016, 'consent-required'],
    ['invalid_client', 7000229, 'consent-required'],
    ['unauthorized_client', 7000112, 'consent-required'],
    ['invalid_request', 90002, 'entra-tenant-not-found'],
    ['access_denied', 50020, 'sign-in-wrong-tenant'],
    ['access_denied', 53003, 'blocked-by-conditional-access'],
    ['interaction_required', 53000, 'blocked-by-conditional-access'],
    ['access_denied', 530032, 'blocked-by-conditional-access'],
    ['access_denied', 50105, 'sign-in-refused'],
    ['interaction_required', 50076, 'sign-in-refused'],
    ['invalid_grant', 54005, 'sign-in-used'],
    ['invalid_grant', 70008, 'sign-in-expired'],
    ['invalid_grant', 501481, 'sign-in-other-browser'],
    ['invalid_grant', 9002313, 'sign-in-unknown'],
    ['invalid_client', 700213, 'federation-mismatch'],
    ['temporarily_unavailable', 90033, 'entra-unreachable'],
    ['invalid_request', 50011, 'entra-refused'],
    ['access_denied', 500200, 'sign-in-wrong-tenant'],
    ['access_denied', 530003, 'blocked-by-conditional-access'],
    ['interaction_required', 500121, 'sign-in-refused'],
    ['access_denied', 999_999, 'entra-refused'],
  ])('%s with AADSTS%i means %s', (error, number, expected) => {
    const found = microsoftRefusal({ error, description: described(number) }, FACTS);
    expect(found.code).toBe(expected);
    expect(found.service).toMatchObject({ code: `AADSTS${number}`, correlationId: CORRELATION });
  });

  it.each([
    ['access_denied', 'consent-declined'],
    ['consent_required', 'consent-required'],
    ['login_required', 'sign-in-refused'],
    ['server_error', 'entra-unreachable'],
    ['temporarily_unavailable', 'entra-unreachable'],
    ['invalid_tenant', 'entra-tenant-not-found'],
    ['unheard_of', 'entra-error'],
  ])('%s without a number means %s', (error, expected) => {
    expect(microsoftRefusal({ error }, FACTS).code).toBe(expected);
  });

  it('is quoted for the vendor without control characters and without end', () => {
    const said = microsoftRefusal(
      { error: 'access_denied', description: `a\r\n\u001b[2J\u202eb${'c'.repeat(5_000)}` },
      FACTS,
    );
    expect(said.service?.message).toMatch(/^access_denied: a \[2J bc+$/);
    expect(said.service?.message?.length).toBeLessThanOrEqual(500);
  });

  it('names an unknown error by its own code, for whoever looks it up', () => {
    expect(microsoftRefusal({ error: 'invalid_request', description: described(50011) }, {}).message).toContain(
      'AADSTS50011',
    );
    expect(microsoftRefusal({ error: 'unheard_of' }, {}).message).toContain('unheard_of');
  });

  it('tells a policy that stopped a person from one that stopped the app', () => {
    const found = microsoftRefusal({ error: 'access_denied', description: described(53003) }, FACTS);
    expect(found.message).toBe('A Conditional Access policy of the company blocks this sign-in.');
  });

  it('tells an app that was switched off from one that is not there', () => {
    const found = microsoftRefusal({ error: 'unauthorized_client', description: described(7000112) }, FACTS);
    expect(found.message).toContain('disabled');
  });

  it('shows no text that somebody wrote into the redirect, whatever the code', () => {
    const planted = 'CALL +1-555-0100 NOW';
    fc.assert(
      fc.property(
        fc.constantFrom(65004, 90094, 700016, 700213, 50105, 53003, 50011, 999_999, undefined),
        fc.constantFrom('access_denied', 'server_error', 'unheard_of', planted, `<b>${planted}</b>`),
        (number, error) => {
          const numbered = number === undefined ? planted : `AADSTS${number}: ${planted}`;
          const description = `${numbered} presented assertion subject '${planted}'`;
          const { service, ...shown } = microsoftRefusal({ error, description }, FACTS);
          expect(JSON.stringify(shown)).not.toContain(planted);
          expect(service?.message).toContain(planted);
        },
      ),
    );
  });

  it('never fails', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), (error, description) => {
        const said = { error, ...(description === undefined ? {} : { description }) };
        expect(FAILURE_CODES).toContain(microsoftRefusal(said, {}).code);
      }),
    );
  });
});
