// The vault URI, as it is typed or pasted. Pure. This is what keeps us from being pointed anywhere but at a key vault, so the
// text is taken apart here and not by a URL parser, which would quietly mend backslashes, tabs, odd dots and numbers.
import { failure, type VaultFailureCode } from '../words/failures.ts';
import type { Failure, FailureFacts } from '../../../domain/failure.ts';
import { meantAddress, meantElsewhere } from './meant-address.ts';
import { isOddInAddress, oddCharacter } from './pasted-text.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { authorityProblem, hostProblem, MALFORMED_HOST, type VaultUriPolicy } from './vault-host.ts';

const MAX_URI_CHARACTERS = 2_048;

interface Problem {
  readonly code: VaultFailureCode;
  readonly detail?: string;
}

/**
 * The vault's host name in lower case. Surrounding blanks and one slash at the end are forgiven, nothing else; of what was
 * probably meant, the failure offers the vault's URI and the key's name, split.
 */
export function parseVaultUri(text: string, policy: VaultUriPolicy): Result<{ readonly host: string }, Failure> {
  const uri = text.trim();
  const [, scheme, authority = '', tail = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(uri) ?? [];
  const host = authority.toLowerCase();
  const problem =
    textProblem(text) ?? schemeProblem(scheme, text) ?? nameProblem(authority, text, policy) ?? tailProblem(tail);
  return problem === undefined ? ok({ host }) : err(explained(text, problem, policy));
}

function textProblem(text: string): Problem | undefined {
  const { length } = text.trim();
  if (length === 0) return invalid('it is empty');
  if (length > MAX_URI_CHARACTERS) return invalid(`it is longer than ${MAX_URI_CHARACTERS} characters`);
  // Only an address of IPv6 has brackets within.
  const brackets = /^https?:\/\/\[/i.test(text.trim()) ? '' : '[]';
  const odd = oddCharacter(text, (character) => isOddInAddress(character) || brackets.includes(character));
  return odd === undefined ? undefined : invalid(`it holds ${odd}`);
}

/** In a host name, and what stands between it and its beginning. */
const isOddBeforePath = (character: string): boolean => !/^[A-Za-z0-9.:/-]$/.test(character);

function schemeProblem(scheme: string | undefined, text: string): Problem | undefined {
  if (scheme === undefined) {
    const odd = oddCharacter(text.split('/', 1)[0] ?? '', isOddBeforePath);
    return invalid(`it does not begin with https://${odd === undefined ? '' : `, and it holds ${odd}`}`);
  }
  const lower = scheme.toLowerCase();
  return lower === 'https' ? undefined : invalid(`it begins with ${lower}://, not https://`);
}

function nameProblem(authority: string, text: string, policy: VaultUriPolicy): Problem | undefined {
  const host = authority.toLowerCase();
  const problem = authorityProblem(host);
  if (problem === undefined) return hostProblem(host, policy);
  const upToPath = text.slice(0, text.indexOf(authority, text.indexOf('//')) + authority.length);
  const odd = problem === MALFORMED_HOST ? oddCharacter(upToPath, isOddBeforePath) : undefined;
  return invalid(odd === undefined ? problem : `its host name holds ${odd}`);
}

function tailProblem(tail: string): Problem | undefined {
  if (tail === '' || tail === '/') return undefined;
  const [path = ''] = /^[^?#]*/.exec(tail) ?? [];
  const code = CODE_OF_PATH.get(/^\/+([^/]*)/.exec(path)?.[1]?.toLowerCase() ?? '');
  if (code !== undefined) return { code };
  if (path !== '' && path !== '/') return invalid('it holds a path');
  return invalid(tail.slice(path.length).startsWith('?') ? 'it holds a query' : 'it holds a fragment');
}

const CODE_OF_PATH: ReadonlyMap<string, VaultFailureCode> = new Map<string, VaultFailureCode>([
  ['keys', 'vault-uri-contains-key-path'],
  ['deletedkeys', 'vault-uri-contains-key-path'],
  ['secrets', 'vault-uri-is-secret'],
  ['certificates', 'vault-uri-is-secret'],
]);

const invalid = (detail: string): Problem => ({ code: 'vault-uri-invalid', detail });

/**
 * With what was probably meant. That a whole key or a secret was pasted says more than a port or a quotation mark beside it, and so does that
 * what was meant can be no vault of this deployment.
 */
function explained(text: string, problem: Problem, policy: VaultUriPolicy): Failure {
  const meant = meantAddress(text, policy);
  const elsewhere =
    meant === undefined && problem.code === 'vault-uri-invalid' ? meantElsewhere(text, policy) : undefined;
  if (elsewhere !== undefined) {
    return failure('vault-host-not-allowed', { detail: `${elsewhere}; besides, ${problem.detail ?? 'it is no URI'}` });
  }
  const code = (problem.code === 'vault-uri-invalid' ? CODE_OF_PATH.get(meant?.kind ?? '') : undefined) ?? problem.code;
  const facts: FailureFacts = {
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    ...(meant === undefined ? {} : { vaultHost: meant.host, suggestedVaultUri: `https://${meant.host}` }),
    ...(meant?.keyName === undefined ? {} : { suggestedKeyName: meant.keyName }),
  };
  return failure(code, facts);
}
