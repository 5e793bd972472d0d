// The vault URI, as it is typed or pasted. Pure. This is what keeps us from being pointed anywhere but at a key vault, so the
// text is taken apart here and not by a URL parser, which would quietly mend backslashes, tabs, odd dots and numbers.
import { failure } from './failure-catalogue.ts';
import type { Failure, FailureCode } from './failure.ts';
import { isKeyName } from './key-name.ts';
import { err, ok, type Result } from './result.ts';

interface VaultUriPolicy {
  /** `vault.azure.net`; sovereign clouds have others. Lower case, no leading dot. */
  readonly allowedSuffixes: readonly string[];
}

const MAX_URI_CHARACTERS = 2_048;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Azure's own rule: 3 to 24 letters, digits and dashes. */
const VAULT_NAME = /^[a-z0-9][a-z0-9-]{1,22}[a-z0-9]$/;
const MANAGED_HSM = /\.managedhsm\.(azure\.net|azure\.cn|usgovcloudapi\.net)$/;
const OTHER_CLOUD = /\.vault\.(azure\.net|azure\.cn|usgovcloudapi\.net|microsoftazure\.de)$/;
const PRIVATE_LINK = /\.(privatelink\.)?vaultcore\.(azure\.net|azure\.cn|usgovcloudapi\.net)$/;

/** The vault's host name in lower case. Surrounding blanks and one slash at the end are forgiven, nothing else. */
export function parseVaultUri(text: string, policy: VaultUriPolicy): Result<{ readonly host: string }, Failure> {
  const uri = text.trim();
  const unusable = unusableText(uri);
  if (unusable !== undefined) return refuse('vault-uri-invalid', unusable);
  const [, scheme, authority = '', tail = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(uri) ?? [];
  if (scheme === undefined) return withoutScheme(uri, policy);
  const host = authority.toLowerCase();
  if (scheme.toLowerCase() !== 'https') {
    const offered = suggestion(host, policy);
    return refuse('vault-uri-invalid', `it begins with ${scheme.toLowerCase()}://, not https://`, offered);
  }
  const badAuthority = authorityProblem(host);
  if (badAuthority !== undefined) return refuse('vault-uri-invalid', badAuthority);
  const foreign = hostProblem(host, policy);
  if (foreign !== undefined) return refuse(foreign.code, foreign.detail);
  return tailProblem(host, tail) ?? ok({ host });
}

function unusableText(uri: string): string | undefined {
  if (uri === '') return 'it is empty';
  if (uri.length > MAX_URI_CHARACTERS) return `it is longer than ${MAX_URI_CHARACTERS} characters`;
  if (/[^\x20-\x7e]/.test(uri)) return 'it holds characters that are not plain ASCII';
  if (uri.includes(' ')) return 'it holds a blank';
  if (uri.includes('\\')) return 'it holds a backslash';
  return undefined;
}

function withoutScheme(uri: string, policy: VaultUriPolicy): Result<never, Failure> {
  const name = uri.toLowerCase();
  const [suffix] = policy.allowedSuffixes;
  const host = !name.includes('.') && suffix !== undefined ? `${name}.${suffix}` : name.replace(/\/$/, '');
  return refuse('vault-uri-invalid', 'it does not begin with https://', suggestion(host, policy));
}

/** What stands between `https://` and the path must be a host name and nothing more. */
function authorityProblem(host: string): string | undefined {
  if (host.includes('@')) return 'it holds a user name';
  if (host.includes('[') || /^[\d.]+(:\d*)?$/.test(host) || /^0x[0-9a-f.x]+(:\d*)?$/.test(host)) {
    return 'it holds an IP address in place of a name';
  }
  if (host.includes(':')) return 'it holds a port';
  if (host === '') return 'it holds no host name';
  if (host.endsWith('.')) return 'its host name ends in a dot';
  if (host.length > 253 || !host.split('.').every((label) => LABEL.test(label))) return 'its host name is malformed';
  if (host.split('.').some((label) => label.startsWith('xn--'))) return 'its host name is internationalised';
  return undefined;
}

function hostProblem(
  host: string,
  policy: VaultUriPolicy,
): { readonly code: FailureCode; readonly detail: string } | undefined {
  const suffix = policy.allowedSuffixes.find((allowed) => host.endsWith(`.${allowed}`));
  if (suffix === undefined) return { code: 'vault-host-not-allowed', detail: foreignHost(host, policy) };
  const name = host.slice(0, -suffix.length - 1);
  if (name.includes('.')) {
    return { code: 'vault-host-not-allowed', detail: `there is more than the vault's name before .${suffix}` };
  }
  if (!VAULT_NAME.test(name)) {
    return { code: 'vault-uri-invalid', detail: "the vault's name is not 3 to 24 letters, digits and dashes" };
  }
  return undefined;
}

function foreignHost(host: string, policy: VaultUriPolicy): string {
  if (MANAGED_HSM.test(host)) return 'it is a Managed HSM, which is not supported yet';
  if (PRIVATE_LINK.test(host)) return "it is the name of a private link; enter the vault's own URI";
  const suffixes = policy.allowedSuffixes.map((suffix) => `.${suffix}`).join(' or ');
  if (OTHER_CLOUD.test(host)) return `it is a vault of another cloud; here it must end in ${suffixes}`;
  return `it does not end in ${suffixes}`;
}

function tailProblem(host: string, tail: string): Result<never, Failure> | undefined {
  const [path = ''] = /^[^?#]*/.exec(tail) ?? [];
  const offered = { vaultHost: host, suggestedVaultUri: `https://${host}` };
  const [, kind = '', name = ''] = /^\/+([^/]*)(?:\/+([^/]*))?/.exec(path) ?? [];
  switch (kind.toLowerCase()) {
    case 'keys':
      return refuse('vault-uri-contains-key-path', undefined, {
        ...offered,
        ...(isKeyName(name) ? { suggestedKeyName: name } : {}),
      });
    case 'secrets':
    case 'certificates':
      return refuse('vault-uri-is-secret', undefined, offered);
    default:
      break;
  }
  if (path !== '' && path !== '/') return refuse('vault-uri-invalid', 'it holds a path', offered);
  if (tail.slice(path.length).startsWith('?')) return refuse('vault-uri-invalid', 'it holds a query', offered);
  if (tail.length > path.length) return refuse('vault-uri-invalid', 'it holds a fragment', offered);
  return undefined;
}

/** The URI that was probably meant, if it would be accepted. */
function suggestion(host: string, policy: VaultUriPolicy): { readonly suggestedVaultUri?: string } {
  const usable = authorityProblem(host) === undefined && hostProblem(host, policy) === undefined;
  return usable ? { suggestedVaultUri: `https://${host}` } : {};
}

function refuse(code: FailureCode, detail: string | undefined, facts: Failure['facts'] = {}): Result<never, Failure> {
  return err(failure(code, detail === undefined ? facts : { ...facts, detail }));
}
