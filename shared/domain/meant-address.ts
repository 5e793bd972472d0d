// Which vault, and which key in it, an address that cannot be taken was meant to be. Pure. For suggestions only: what is found
// here is shown to whoever typed it and never used, and it is none but a vault that would be accepted.
import { isKeyName } from './key-name.ts';
import { inPlainCharacters, withoutEntities, withoutSurroundings } from './pasted-text.ts';
import { isVaultHost, ownHost, type VaultUriPolicy } from './vault-host.ts';

export interface MeantAddress {
  readonly host: string;
  /** The first part of the path: `keys`, `secrets`, anything; in lower case, empty if there is none. */
  readonly kind: string;
  readonly keyName?: string;
}

/** `https://`, also half typed or typed twice, and what a program printed before it. */
const SCHEME = /^(?:[a-z][a-z0-9+.-]{0,19}:\/\/|https?(?=[:;/])[:;]?|\/)+/i;
const LABELLED = /^["']?[a-z][a-z _-]{1,30}["']?\s*[:=]\s*(?=\S*[./])/i;
const ADDRESS_IN_TEXT = /https?:\/\/[^\s"'<>]+/gi;
/** In an Azure resource id, and in the addresses of the portal. */
const VAULT_IN_RESOURCE_ID =
  /\/providers\/microsoft\.keyvault\/vaults\/([0-9a-z-]{3,24})(?:\/(keys)\/([0-9a-z-]{1,127}))?/i;
const MAX_CHARACTERS = 2_048;

export function meantAddress(text: string, policy: VaultUriPolicy): MeantAddress | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const found = Array.from(candidates(withoutEntities(text)), (candidate) => read(candidate, policy)).filter(
    (one) => one !== undefined,
  );
  const [first] = found;
  // An address of the portal may name the vault before the key.
  const withKey = found.find(
    ({ host, kind, keyName }) => host === first?.host && kind === 'keys' && keyName !== undefined,
  );
  return first?.kind === '' ? (withKey ?? first) : first;
}

/** The likeliest first: a mail breaks long lines, and a blank rather ends an address than stands in it. */
function* candidates(text: string): Generator<string> {
  const plain = withoutSurroundings(inPlainCharacters(decoded(withoutSurroundings(text))).replace(/[\r\n]+\s*/g, ''));
  const [, vault, kind, key] = VAULT_IN_RESOURCE_ID.exec(plain) ?? [];
  if (vault !== undefined) yield kind === undefined ? vault : `${vault}/${kind}/${key ?? ''}`;
  for (const one of [plain, plain.replace(/\\(?=[/"'])|\\$/g, ''), plain.replaceAll('\\', '/')]) {
    yield one;
    yield one.replace(LABELLED, '');
    const [first = ''] = one.split(/\s/, 1);
    if (first.includes('.')) yield first;
    yield one.replace(/\s+/g, '');
  }
  yield* plain.match(ADDRESS_IN_TEXT) ?? [];
  const embedded = plain.lastIndexOf('https://');
  if (embedded > 0) yield plain.slice(embedded);
}

function decoded(text: string): string {
  if (!/%[0-9a-f]{2}/i.test(text)) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function read(text: string, policy: VaultUriPolicy): MeantAddress | undefined {
  const [, authority = '', path = ''] = /^([^/?#]*)([^?#]*)/.exec(withoutSurroundings(text).replace(SCHEME, '')) ?? [];
  const named = authority.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  const [suffix] = policy.allowedSuffixes;
  const host = ownHost(named.includes('.') || suffix === undefined ? named : `${named}.${suffix}`);
  if (!isVaultHost(host, policy)) return undefined;
  const [, kind = '', name = ''] = /^\/+([^/]*)(?:\/+([^/]*))?/.exec(path) ?? [];
  return { host, kind: kind.toLowerCase(), ...(isKeyName(name) ? { keyName: name } : {}) };
}
