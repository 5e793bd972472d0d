// Guesses which vault and key an unusable address was meant to name. Pure. For suggestions only: the guess is shown to the person who typed the
// address and never used, and names only a vault that would be accepted.
import { isKeyName } from './key-name.ts';
import { decoded, onOneLine, unescaped, withoutSurroundings } from './pasted-text.ts';
import { inPlainCharacters } from '../../../domain/plain-characters.ts';
import { elsewhere, isVaultHost, ownHost, type VaultUriPolicy } from './vault-host.ts';

export interface MeantAddress {
  readonly host: string;
  /** The first part of the path: `keys`, `secrets`, anything; in lower case, empty if there is none. */
  readonly kind: string;
  /** Of a key, deleted or not. */
  readonly keyName?: string;
}

/** `https://`, also half typed or typed twice, and what a program printed before it. */
const SCHEME = /^(?:[a-z][a-z0-9+.-]{0,19}:\/\/|https?(?=[:;/])[:;]?|\/)+/i;
const LABELLED = /^["']?[a-z][a-z _-]{1,30}["']?\s*[:=]\s*(?=\S*[./])/i;
/** Where an address may begin in a text, or in another address: a link that was made safe holds the one that was meant. */
const BEGINNING = /https?:\/\//gi;
/** In an Azure resource id, and in the addresses of the portal. */
const VAULT_IN_RESOURCE_ID =
  /\/providers\/microsoft\.keyvault\/vaults\/([0-9a-z-]{3,24})(?:\/(keys)\/([0-9a-z-]{1,127}))?/i;
const HSM_IN_RESOURCE_ID = /\/providers\/microsoft\.keyvault\/managedhsms\/([0-9a-z-]{3,24})/i;
/** Host, then path: each as far as it can be one, so that what follows in a sentence or a query is left. */
const PARTS = /^([^/?#&|,;!*\s"'<>()[\]{}]*)([^?#&|,;!*\s"'<>()[\]{}]*)(.*)/s;
const KEYS = new Set(['keys', 'deletedkeys']);
/** Of what a vault holds; anything else behind a bare name says that it is the name of no vault. */
const OBJECTS = new Set(['', ...KEYS, 'secrets', 'certificates']);
const MAX_CHARACTERS = 2_048;

export function meantAddress(text: string, policy: VaultUriPolicy): MeantAddress | undefined {
  const found = partsOf(text)
    .map((parts) => meantBy(parts, policy))
    .filter((one) => one !== undefined);
  const [first] = found;
  // An address of the portal may name the vault before the key.
  const withKey = found.find(({ host, keyName }) => host === first?.host && keyName !== undefined);
  return first?.kind === '' ? (withKey ?? first) : first;
}

/** Why what was meant is a vault, or like one, that cannot be called from here at all; undefined if it is none of those. */
export const meantElsewhere = (text: string, policy: VaultUriPolicy): string | undefined =>
  partsOf(text)
    .map(({ authority }) => elsewhere(authority, policy))
    .find((why) => why !== undefined);

interface Parts {
  readonly authority: string;
  readonly path: string;
  /** There is nothing more in the text: a vault's name alone is one only so. */
  readonly isAll: boolean;
  /** What follows a blank may belong to the name before it. */
  readonly mayGoOn: boolean;
}

function partsOf(text: string): readonly Parts[] {
  if (text.length > MAX_CHARACTERS) return [];
  return Array.from(candidates(unescaped(text)), (candidate) => {
    const [, host = '', path = '', rest = ''] = PARTS.exec(withoutSurroundings(candidate).replace(SCHEME, '')) ?? [];
    const authority = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
    return { authority, path, isAll: rest === '' || /^[?#]/.test(rest), mayGoOn: /^\s+[\p{L}\p{N}]/u.test(rest) };
  });
}

/** The likeliest first: a blank rather ends an address than stands in it. */
function* candidates(text: string): Generator<string> {
  const plain = withoutSurroundings(onOneLine(inPlainCharacters(decoded(text))).replace(/[[(]([.:])[\])]/g, '$1'));
  const [, vault, kind, key] = VAULT_IN_RESOURCE_ID.exec(plain) ?? [];
  if (vault !== undefined) yield kind === undefined ? vault : `${vault}/${kind}/${key ?? ''}`;
  const hsm = HSM_IN_RESOURCE_ID.exec(plain)?.[1];
  if (hsm !== undefined) yield `${hsm}.managedhsm.azure.net`;
  for (const one of [plain, plain.replace(/\\(?=[/"'])|\\$/g, ''), plain.replaceAll('\\', '/')]) {
    yield one;
    yield one.replace(LABELLED, '');
    const [first = ''] = one.split(/\s/, 1);
    if (first.includes('.')) yield first;
    const joined = one.replace(/\s+/g, '');
    if (joined.includes('.')) yield joined;
  }
  for (const { index } of plain.matchAll(BEGINNING)) yield plain.slice(index);
}

function meantBy({ authority, path, isAll, mayGoOn }: Parts, policy: VaultUriPolicy): MeantAddress | undefined {
  const [, object = '', name = '', behind = ''] = /^\/+([^/]*)(?:\/+([^/]*)(.*))?/.exec(path) ?? [];
  const kind = object.toLowerCase();
  const named = isAll ? hostOfName(authority, kind, policy) : undefined;
  const host = authority.includes('.') ? ownHost(authority) : named;
  if (host === undefined || !isVaultHost(host, policy)) return undefined;
  const keyName = withoutSurroundings(name).replace(/^_+|_+$/g, '');
  const isWhole = behind !== '' || !mayGoOn;
  return { host, kind, ...(KEYS.has(kind) && isWhole && isKeyName(keyName) ? { keyName } : {}) };
}

/** A vault's name alone. What a path begins with is none, nor what a form shows in place of a value. */
const NO_NAMES = new Set([...OBJECTS, 'http', 'https', 'subscriptions', 'providers', 'null', 'undefined', 'none']);

function hostOfName(name: string, kind: string, { allowedSuffixes: [suffix] }: VaultUriPolicy): string | undefined {
  return suffix === undefined || NO_NAMES.has(name) || !OBJECTS.has(kind) ? undefined : `${name}.${suffix}`;
}
