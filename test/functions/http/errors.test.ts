import { describe, expect, test } from 'vitest';
import { refusalToResponse } from '../../../functions/http/kernel/errors.ts';
import { failure, FAILURE_CODES } from '../../../shared/failures.ts';
import type { FailureKind } from '../../../shared/domain/failure.ts';
import { notFound, refusedBy } from '../../../shared/domain/refusal.ts';

const company = { isVendorAdmin: false };
const vendor = { isVendorAdmin: true };

const STATUS_BY_KIND: Readonly<Record<FailureKind, number>> = {
  input: 400,
  transient: 503,
  propagating: 409,
  denied: 409,
  warning: 409,
  integrity: 409,
};

test.each(FAILURE_CODES)('%s keeps its code, says whose move it is, and has the status of its kind', (code) => {
  const found = failure(code);
  const { status, headers, body } = refusalToResponse(refusedBy(found), company);
  expect(status).toBe(STATUS_BY_KIND[found.kind]);
  expect(headers['x-ms-error-code']).toBe(code);
  expect(body.error).toMatchObject({ code, owner: found.owner, remedy: found.remedy });
});

test.each([
  [{ suggestedVaultUri: 'https://contoso.vault.azure.net' }, { vaultUri: 'https://contoso.vault.azure.net' }],
  [{ suggestedKeyName: 'main-key' }, { keyName: 'main-key' }],
  [{}, undefined],
])('what was probably meant is offered by field, as far as it is known: %j', (facts, suggestion) => {
  const { body } = refusalToResponse(refusedBy(failure('vault-uri-invalid', facts)), company);
  expect(body.error.suggestion).toEqual(suggestion);
});

test("commands for the vendor's own vault are told to its operators alone", () => {
  const facts = { vaultHost: 'vendor.vault.azure.net', appId: 'x', ownVault: 'company-keys' } as const;
  const own = failure('access-denied-policy', facts);
  const told = (audience: typeof company): unknown => refusalToResponse(refusedBy(own), audience).body.error.remedy;
  expect(own.owner).toBe('vendor');
  expect(told(vendor)).toEqual(own.remedy);
  expect(own.remedy.azureCli).toContain('az keyvault');
  expect(told(company)).toEqual({ text: expect.stringContaining('Nothing is for the company to do') as string });
});

test('a data key that is not there is named in words, under a stable code', () => {
  const { body } = refusalToResponse(notFound('data-key', 'k1'), company);
  expect(body.error).toEqual({ code: 'data-key-not-found', message: "There is no data key 'k1'." });
});

test.each(['transient', 'propagating'] as const)('what is %s says when to ask again', (kind) => {
  const { headers } = refusalToResponse(refusedBy({ ...failure('throttled'), kind }), company);
  expect(Number(headers['Retry-After'])).toBeGreaterThan(0);
});

describe("the service's own words", () => {
  const refusal = refusedBy(failure('vault-error', {}, { status: 418, message: 'inner words', correlationId: 'c-1' }));

  test('go to the vendor', () => {
    expect(refusalToResponse(refusal, vendor).body.error.innererror).toMatchObject({ message: 'inner words' });
  });

  test('are kept from a company, which gets the correlation id', () => {
    const { body } = refusalToResponse(refusal, company);
    expect(body.error.correlationId).toBe('c-1');
    expect(JSON.stringify(body)).not.toContain('inner words');
  });
});

test.each([
  [notFound('data-key', 'k'), 404, 'data-key-not-found'],
  [{ type: 'already-exists', what: 'switch', id: 's' }, 409, 'switch-exists'],
  [{ type: 'precondition-failed', what: 'company', id: 'c' }, 412, 'precondition-failed'],
  [{ type: 'switch-in-progress', switchId: 's' }, 409, 'switch-in-progress'],
  [{ type: 'state', code: 'keyring-full', message: 'm' }, 409, 'keyring-full'],
  [{ type: 'idempotency-mismatch' }, 409, 'idempotency-key-reused'],
  [{ type: 'body-incomplete' }, 408, 'body-incomplete'],
  [{ type: 'limited', retryAfterSeconds: 7 }, 429, 'too-many-requests'],
  [{ type: 'busy', retryAfterSeconds: 0.2 }, 503, 'busy'],
  [{ type: 'overloaded', retryAfterSeconds: 2 }, 503, 'overloaded'],
  [{ type: 'store-unavailable' }, 503, 'store-unavailable'],
  [{ type: 'not-ready' }, 503, 'not-ready'],
  [{ type: 'identity-provider-unavailable' }, 503, 'identity-provider-unavailable'],
] as const)('%j', (refusal, status, code) => {
  const answer = refusalToResponse(refusal, company);
  expect([answer.status, answer.body.error.code, answer.headers['x-ms-error-code']]).toEqual([status, code, code]);
  if (status === 503 || status === 429 || status === 408)
    expect(Number(answer.headers['Retry-After'])).toBeGreaterThanOrEqual(1);
});

test('an id of any length is named only by its beginning', () => {
  const { body } = refusalToResponse({ type: 'unknown-company', companyId: 'x'.repeat(10_000) }, company);
  expect(body.error.message.length).toBeLessThan(200);
});
