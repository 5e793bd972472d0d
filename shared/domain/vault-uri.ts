// The vault URI, as it is typed or pasted. Pure. This is what keeps us from being pointed anywhere but at a key vault, so the
// text is taken apart here and not by a URL parser, which would quietly mend backslashes, tabs, odd dots and numbers.
import { failure } from './failure-catalogue.ts';
import type { Failure, FailureCode, FailureFacts } from './failure.ts';
import { meantAddress } from './meant-address.ts';
import { isOddInAddress, oddCharacter } from './pasted-text.ts';
import { err, ok, type Result } from './result.ts';
import { authorityProblem, hostProblem, type VaultUriPolicy } from './vault-host.ts';

const MAX_URI_CHARACTERS = 2_048;

interface Problem {
  readonly code: FailureCode;
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
  const problem = textProblem(text) ?? schemeProblem(scheme) ?? nameProblem(host, policy) ?? tailProblem(tail);
  return problem === undefined ? ok({ host }) : err(explained(text, problem, policy));
}

function textProblem(text: string): Problem | undefined {
  const { length } = text.trim();
  if (length === 0) return invalid('it is empty');
  if (length > MAX_URI_CHARACTERS) return invalid(`it is longer than ${MAX_URI_CHARACTERS} characters`);
  const odd = oddCharacter(text, isOddInAddress);
  return odd === undefined ? undefined : invalid(`it holds ${odd}`);
}

function schemeProblem(scheme: string | undefined): Problem | undefined {
  if (scheme === undefined) return invalid('it does not begin with https://');
  const lower = scheme.toLowerCase();
  return lower === 'https' ? undefined : invalid(`it begins with ${lower}://, not https://`);
}

function nameProblem(host: string, policy: VaultUriPolicy): Problem | undefined {
  const problem = authorityProblem(host);
  return problem === undefined ? hostProblem(host, policy) : invalid(problem);
}

function tailProblem(tail: string): Problem | undefined {
  if (tail === '' || tail === '/') return undefined;
  const [path = ''] = /^[^?#]*/.exec(tail) ?? [];
  const code = CODE_OF_PATH.get(/^\/+([^/]*)/.exec(path)?.[1]?.toLowerCase() ?? '');
  if (code !== undefined) return { code };
  if (path !== '' && path !== '/') return invalid('it holds a path');
  return invalid(tail.slice(path.length).startsWith('?') ? 'it holds a query' : 'it holds a fragment');
}

const CODE_OF_PATH: ReadonlyMap<string, FailureCode> = new Map<string, FailureCode>([
  ['keys', 'vault-uri-contains-key-path'],
  ['secrets', 'vault-uri-is-secret'],
  ['certificates', 'vault-uri-is-secret'],
]);

const invalid = (detail: string): Problem => ({ code: 'vault-uri-invalid', detail });

/** With what was probably meant. That a whole key or a secret was pasted says more than a port or a quotation mark beside it. */
function explained(text: string, problem: Problem, policy: VaultUriPolicy): Failure {
  const meant = meantAddress(text, policy);
  const code = (problem.code === 'vault-uri-invalid' ? CODE_OF_PATH.get(meant?.kind ?? '') : undefined) ?? problem.code;
  const facts: FailureFacts = {
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    ...(meant === undefined ? {} : { vaultHost: meant.host, suggestedVaultUri: `https://${meant.host}` }),
    ...(meant?.keyName === undefined || meant.kind !== 'keys' ? {} : { suggestedKeyName: meant.keyName }),
  };
  return failure(code, facts);
}
