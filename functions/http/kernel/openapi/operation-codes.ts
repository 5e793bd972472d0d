// Which codes an operation gives, by status: those that follow from what it is, its own, and those of the failures that it meets. A test holds
// every answer that is given anywhere in the tests of the API against it.
import { failure, FAILURE_AREAS, FAILURE_CODES } from '../../../../shared/failures.ts';
import type { FailureCode } from '../../../../shared/domain/failure.ts';
import { ERROR_CODES, isTransient, type ErrorCode } from '../error-codes.ts';
import { STATUS_OF_KIND } from '../errors.ts';
import type { RouteDescription } from '../route.ts';

export type Described = RouteDescription & { readonly answersAs: 'json' | 'page' };

type Codes = Readonly<Record<number, readonly string[]>>;

function impliedCodes(route: Described): ErrorCode[] {
  const takesBody = route.method === 'PUT' || route.method === 'POST';
  const isConditional = route.conditions === 'write' || route.conditions === 'delete';
  return [
    'invalid-request',
    ...(takesBody && route.answersAs === 'json' ? (['malformed-json'] as const) : []),
    ...(route.roles === 'open' ? [] : CODES_OF_CALLERS),
    ...(isWithinConfinement(route) ? [] : (['token-confined'] as const)),
    ...(route.path.includes('{companyId}') ? (['company-not-found'] as const) : []),
    ...(route.path.includes('{keyringId}') && route.roles !== 'open' ? (['keyring-not-found'] as const) : []),
    ...(takesBody ? (['body-incomplete', 'body-too-large', 'unsupported-media-type'] as const) : []),
    ...(isConditional ? (['precondition-failed'] as const) : []),
    ...(route.idempotencyKey ? (['idempotency-key-reused'] as const) : []),
    ...(route.isLimited ? (['too-many-requests'] as const) : []),
    'internal-error',
    'store-unavailable',
    'busy',
  ];
}

const CODES_OF_CALLERS = [
  'unauthenticated',
  'forbidden',
  'confinement-required',
  'confinement-unreadable',
  'identity-provider-unavailable',
] as const;

/** Whether every confined token is answered that names what stands in the path. */
const isWithinConfinement = ({ roles, reaches, path }: Described): boolean =>
  roles === 'open' || reaches === 'own' || (path.includes('{keyringId}') && reaches === undefined);

const statusOf = (code: ErrorCode | FailureCode): number =>
  code in ERROR_CODES ? ERROR_CODES[code as ErrorCode].status : STATUS_OF_KIND[failure(code as FailureCode).kind];

export function codesOf(route: Described): Codes {
  const { refuses = [], fails = [] } = route;
  const all = [...impliedCodes(route), ...refuses, ...fails.flatMap((area) => FAILURE_AREAS[area])];
  const codes: Record<number, string[]> = {};
  for (const code of new Set(all)) (codes[statusOf(code)] ??= []).push(code);
  return codes;
}

/** One line for people. Failures are told as what they are about: there are many. */
export function codesInWords(route: Described): string {
  const own = [...new Set(route.refuses ?? [])].map((code) => `${ERROR_CODES[code].status} \`${code}\``);
  const met = (route.fails ?? []).map((area) => AREAS_IN_WORDS[area]);
  return own.length + met.length === 0 ? '' : `Errors of its own: ${[...own, ...met].join(', ')}.`;
}

const AREAS_IN_WORDS = {
  input: 'what is wrong with the address of a vault',
  vault: 'whatever a vault or Entra answers but yes',
  'sign-in': 'whatever goes wrong in a sign-in',
  webhook: 'what is wrong with the address of a webhook, or with its receiver',
} as const satisfies Record<keyof typeof FAILURE_AREAS, string>;

/** Of every code that some operation gives, or a path that is not described: its status, when it is given, and whether asking again may help. */
export function codesOfAll(routes: readonly Described[]): Readonly<Record<string, object>> {
  const given = new Set(routes.flatMap((route) => Object.values(codesOf(route)).flat()));
  const all = Object.entries(ALL_CODES).filter(([code]) => given.has(code) || OF_NO_OPERATION.has(code));
  return Object.fromEntries(all);
}

const OF_NO_OPERATION: ReadonlySet<string> = new Set<ErrorCode>(['route-not-found', 'method-not-allowed']);

const ALL_CODES: Readonly<Record<string, object>> = {
  ...Object.fromEntries(
    Object.entries(ERROR_CODES).map(([code, { status, when }]) => [
      code,
      { status, when, askAgain: isTransient(status) },
    ]),
  ),
  ...Object.fromEntries(
    FAILURE_CODES.map((code) => {
      const { kind, message } = failure(code);
      const status = STATUS_OF_KIND[kind];
      return [code, { status, when: message, kind, askAgain: isTransient(status) }];
    }),
  ),
};
