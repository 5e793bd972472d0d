import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURE_CODES } from '../../../shared/failures.ts';
import { googleRefusal } from '../../../shared/identity/google/sign-in-answer.ts';

describe('an error of Google', () => {
  it.each([
    ['access_denied', 'consent-declined'],
    ['admin_policy_enforced', 'sign-in-refused'],
    ['invalid_client', 'google-not-configured'],
    ['redirect_uri_mismatch', 'google-not-configured'],
    ['invalid_grant', 'sign-in-unknown'],
    ['server_error', 'google-unreachable'],
    ['invalid_request', 'google-not-configured'],
    ['unheard_of', 'google-error'],
  ])('%s means %s', (error, expected) => {
    expect(googleRefusal({ error, description: 'Words of Google.' }).code).toBe(expected);
  });

  it('is named by its own code where it is not known', () => {
    expect(googleRefusal({ error: 'unheard_of' }).message).toContain('unheard_of');
  });

  it('never makes a failure that is not in the catalogue', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), (error, description) => {
        const said = { error, ...(description === undefined ? {} : { description }) };
        expect(FAILURE_CODES).toContain(googleRefusal(said).code);
      }),
    );
  });
});
