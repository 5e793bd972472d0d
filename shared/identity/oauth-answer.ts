// What a sign-in's redirect back says, read the same way for every service. Pure, and never fails. The redirect passes through a browser, so an
// attacker can write it: we read only codes of its error, and its texts go to the vendor's log alone.
import type { FailureCode } from '../domain/failure.ts';

export interface SignInError {
  /** OAuth's own code: `access_denied`. */
  readonly error: string;
  readonly description?: string;
}

/** The state of a redirect back, if there is exactly one: it says whose sign-in it claims to be. */
export function stateOf(query: string): string | undefined {
  const [state, ...more] = new URLSearchParams(query).getAll('state');
  return more.length === 0 && state !== '' ? state : undefined;
}

/** The error of a redirect back. Look for it before anything else: services write codes and signs of success beside one. */
export function callbackErrorOf(query: string): SignInError | undefined {
  const parameters = new URLSearchParams(query);
  const error = parameters.get('error');
  if (error === null) return undefined;
  const description = parameters.get('error_description');
  return { error, ...(description === null ? {} : { description }) };
}

/** It stands in a sentence, so it has to look like a code. */
export const codeShown = (error: string): string => (/^[a-z][a-z_]{1,63}$/.test(error) ? error : 'no known code');

const MAX_QUOTED_CHARACTERS = 500;

/** For the vendor's log. What services write fits; what an attacker writes is cut. */
export const quoted = ({ error, description = '' }: SignInError): string =>
  `${error}: ${description}`.slice(0, MAX_QUOTED_CHARACTERS).replace(/[\p{C}\p{Z}]+/gu, ' ');

/** Each key of a service's answers with the failure that it means. */
export const codeByKey = <Code extends FailureCode, Key>(
  table: readonly (readonly [Code, readonly Key[]])[],
): ReadonlyMap<Key, Code> => new Map(table.flatMap(([code, keys]) => keys.map((key): [Key, Code] => [key, code])));
