// Examples of errors in the description: what is really said, by the one switch that says it.
import { asPropagating } from '../../../../shared/domain/failure.ts';
import { failure } from '../../../../shared/failures.ts';
import { notFound, refusedBy, type Refusal } from '../../../../shared/domain/refusal.ts';
import { refusalToResponse, type EdgeRefusal, type ErrorBody } from '../errors.ts';

const CALLER = { isVendorAdmin: false };
const CONSENT = failure('consent-required', { tenantId: '6c9d1d5e-3f7a-4b2c-8e10-5a7b9c3d1e2f' });

const bodyOf = (refusal: Refusal | EdgeRefusal): ErrorBody => refusalToResponse(refusal, CALLER).body;

export const ERROR_EXAMPLES = {
  400: bodyOf({
    type: 'invalid-request',
    details: [{ code: 'missing-field', target: 'body.keyName', message: 'This field is required.' }],
  }),
  401: bodyOf({ type: 'unauthenticated' }),
  403: bodyOf({ type: 'forbidden', roles: ['VendorAdmin'] }),
  404: bodyOf(notFound('company', 'contoso')),
  408: bodyOf({ type: 'body-incomplete' }),
  409: bodyOf(refusedBy(asPropagating(CONSENT, '2026-11-30T08:10:00.000Z'))),
  410: bodyOf({ type: 'company-closed', companyId: 'contoso' }),
  412: bodyOf({ type: 'precondition-failed', what: 'company', id: 'contoso' }),
  413: bodyOf({ type: 'body-too-large', maxBytes: 1_048_576 }),
  415: bodyOf({ type: 'unsupported-media-type', wanted: 'application/json' }),
  429: bodyOf({ type: 'limited', retryAfterSeconds: 20 }),
  500: bodyOf({ type: 'internal-error', requestId: '019ad3f0-5b1b-7a11-8d1e-6b0c9f2e4a75' }),
  503: bodyOf({ type: 'store-unavailable' }),
} as const;
