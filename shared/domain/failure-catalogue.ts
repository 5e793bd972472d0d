// Every failure code with its kind, its owner and its words, filled in with the names that are known. Pure. The words are
// grouped under failures/; docs/failures.md lists the same codes for users, and a test compares the two.
import type { Failure, FailureCode, FailureFacts } from './failure.ts';
import { wordsOfOwnVault } from '../providers/azure-key-vault/words/own-vault.ts';
import { ENTRA_FAILURES } from '../identity/entra/entra-failures.ts';
import { ENTRA_TENANT_FAILURES } from '../identity/entra/entra-tenant-failures.ts';
import type { FailureEntry } from './failure-entry.ts';
import { GOOGLE_FAILURES } from '../identity/google/google-failures.ts';
import { ID_TOKEN_FAILURES } from '../identity/id-token-failures.ts';
import { shown } from './shell-text.ts';
import { SIGN_IN_FAILURES } from '../identity/sign-in-failures.ts';
import { STORE_FAILURES } from './failures/store-failures.ts';
import { VAULT_ACCESS_FAILURES } from '../providers/azure-key-vault/words/vault-access-failures.ts';
import { VAULT_INPUT_FAILURES } from '../providers/azure-key-vault/words/vault-input-failures.ts';
import { VAULT_KEY_FAILURES } from '../providers/azure-key-vault/words/vault-key-failures.ts';
import { VAULT_NETWORK_FAILURES } from '../providers/azure-key-vault/words/vault-network-failures.ts';

const CATALOGUE: Readonly<Record<FailureCode, FailureEntry>> = {
  ...VAULT_INPUT_FAILURES,
  ...VAULT_NETWORK_FAILURES,
  ...VAULT_ACCESS_FAILURES,
  ...VAULT_KEY_FAILURES,
  ...STORE_FAILURES,
  ...ENTRA_FAILURES,
  ...ENTRA_TENANT_FAILURES,
  ...SIGN_IN_FAILURES,
  ...ID_TOKEN_FAILURES,
  ...GOOGLE_FAILURES,
};

const codesOf = (...groups: readonly Readonly<Record<string, FailureEntry>>[]): FailureCode[] =>
  groups.flatMap((group) => Object.keys(group) as FailureCode[]);

/** By where they are met: in what is typed of a vault, at vaults and in what is stored, in a sign-in. */
export const FAILURE_AREAS = {
  input: codesOf(VAULT_INPUT_FAILURES),
  vault: codesOf(
    VAULT_NETWORK_FAILURES,
    VAULT_ACCESS_FAILURES,
    VAULT_KEY_FAILURES,
    STORE_FAILURES,
    ENTRA_FAILURES,
    ENTRA_TENANT_FAILURES,
  ),
  'sign-in': codesOf(SIGN_IN_FAILURES, ID_TOKEN_FAILURES, GOOGLE_FAILURES),
} as const;
export type FailureArea = keyof typeof FAILURE_AREAS;

const MAX_SERVICE_MESSAGE_CHARACTERS = 2_000;

export function failure(code: FailureCode, facts: FailureFacts = {}, service?: Failure['service']): Failure {
  const { kind, owner, words } = CATALOGUE[code];
  const safe = showable(facts);
  return {
    code,
    kind,
    owner,
    ...(safe.ownVault === undefined ? words(safe) : wordsOfOwnVault(code, words(safe), safe)),
    facts: safe,
    ...(service === undefined ? {} : { service: bounded(service) }),
  };
}

/** The same failure while the grant that it misses may still be on its way. */
export const asPropagating = (denial: Failure, becomesDeniedAt: string): Failure => ({
  ...denial,
  kind: 'propagating',
  becomesDeniedAt,
});

/** The same failure about a key that goes on working: an expired key still unwraps. */
export const asWarning = (denial: Failure): Failure => ({ ...denial, kind: 'warning' });

/** The same failure where a policy makes a refusal of it. */
export const asDenial = (warning: Failure): Failure => ({ ...warning, kind: 'denied' });

/** The same failure with its words filled in from more names; what it knows itself is kept. */
export const withFacts = (found: Failure, facts: FailureFacts): Failure => ({
  ...failure(found.code, { ...facts, ...found.facts }, found.service),
  kind: found.kind,
  ...(found.becomesDeniedAt === undefined ? {} : { becomesDeniedAt: found.becomesDeniedAt }),
});

/** Facts come from what was typed and from services' texts: none may carry a line break or an endless value onwards. */
function showable(facts: FailureFacts): FailureFacts {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]: [string, unknown]): [string, unknown][] => {
      if (value === undefined) return [];
      return [[name, typeof value === 'string' ? shown(value) : value]];
    }),
  );
}

const bounded = (service: NonNullable<Failure['service']>): NonNullable<Failure['service']> =>
  service.message === undefined || service.message.length <= MAX_SERVICE_MESSAGE_CHARACTERS
    ? service
    : { ...service, message: service.message.slice(0, MAX_SERVICE_MESSAGE_CHARACTERS) };
