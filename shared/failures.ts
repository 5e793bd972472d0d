// Every failure that there is, of every area: for the API's description, its documentation and tests. What makes failures goes by its own area's.
import { catalogue, codesOf } from './domain/failure-catalogue.ts';
import type { FailureCode, FailureEntry, FailureOwner } from './domain/failure.ts';
import { LINK_FAILURES, STORE_FAILURES } from './domain/failures.ts';
import { WEBHOOK_FAILURES } from './domain/webhook-failures.ts';
import { ENTRA_SIGN_IN_FAILURES, ENTRA_TOKEN_FAILURES } from './identity/entra/words/failures.ts';
import { IDENTITY_FAILURES } from './identity/failures.ts';
import { GOOGLE_FAILURES } from './identity/google/words/failures.ts';
import { MET_AT_VAULTS, VAULT_FAILURES, VAULT_INPUT_FAILURES } from './providers/azure-key-vault/words/failures.ts';

/** By where they are met: in what is typed of a vault, at vaults and in what is stored, in a sign-in, at the receiver of a webhook. */
const BY_PLACE = {
  input: VAULT_INPUT_FAILURES,
  vault: { ...VAULT_FAILURES, ...STORE_FAILURES, ...ENTRA_TOKEN_FAILURES },
  'sign-in': { ...LINK_FAILURES, ...IDENTITY_FAILURES, ...ENTRA_SIGN_IN_FAILURES, ...GOOGLE_FAILURES },
  webhook: WEBHOOK_FAILURES,
} as const;
export type FailureArea = keyof typeof BY_PLACE;

export const FAILURE_AREAS: Readonly<Record<FailureArea, readonly FailureCode[]>> = {
  input: codesOf(BY_PLACE.input),
  vault: codesOf(BY_PLACE.vault),
  'sign-in': codesOf(BY_PLACE['sign-in']),
  webhook: codesOf(BY_PLACE.webhook),
};

/** A code that two areas have is told here in the words of the last. */
const ALL: Readonly<Record<FailureCode, FailureEntry>> = {
  ...GOOGLE_FAILURES,
  ...LINK_FAILURES,
  ...IDENTITY_FAILURES,
  ...MET_AT_VAULTS,
  ...WEBHOOK_FAILURES,
};

export const FAILURE_CODES: readonly FailureCode[] = codesOf(ALL);
export const FAILURE_OWNERS: readonly FailureOwner[] = [...new Set(FAILURE_CODES.map((code) => ALL[code].owner))];
export const { failure } = catalogue(ALL);
