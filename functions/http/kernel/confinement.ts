// Which companies and keyrings a token is confined to, by the claims of a verified token. What cannot be read is told as that: it never means
// "all". Pure.
import { isResourceId } from '../../../shared/domain/ids.ts';
import { isRecord } from '../../../shared/domain/plain-object.ts';

/** By company the only keyrings, or `whole`: all of the company. */
type Places = ReadonlyMap<string, ReadonlySet<string> | 'whole'>;

export type Confinement =
  /** The token names no company: its roles hold for all of them. */
  | { readonly type: 'none' }
  | { readonly type: 'to'; readonly places: Places }
  /** It names what is neither `company` nor `company/keyring`, or too many of them. */
  | { readonly type: 'unreadable' };

/** Tokens of apps carry no claims of users. An app role of this form, which an app can be given, confines them all the same. */
export const CONFINING_ROLE = 'Keyswitch.Company.';
const ALMOST_CONFINING = /^keyswitch[\W_]*compan(?:y|ies)(?!admin$)/i;
/** A token has to fit into a header. */
export const MAX_CONFINED_PLACES = 200;

const NONE: Confinement = { type: 'none' };
const UNREADABLE: Confinement = { type: 'unreadable' };

/** What the claim and the app roles of the token name, together. */
export function confinementOf(claims: Readonly<Record<string, unknown>>, claimName: string): Confinement {
  const claimed = namesIn(claims, claimName);
  const inRoles = namesInRoles(claims['roles']);
  if (!claimed || !inRoles) return UNREADABLE;
  const names = [...claimed, ...inRoles];
  if (names.length === 0) return NONE;
  if (names.length > MAX_CONFINED_PLACES) return UNREADABLE;
  const places = new Map<string, ReadonlySet<string> | 'whole'>();
  for (const name of names) {
    const [companyId = '', keyringId, ...more] = name.split('/');
    if (!isResourceId(companyId) || more.length > 0) return UNREADABLE;
    if (keyringId !== undefined && !isResourceId(keyringId)) return UNREADABLE;
    const known = places.get(companyId);
    const isWhole = keyringId === undefined || known === 'whole';
    places.set(companyId, isWhole ? 'whole' : new Set([...(known ?? []), keyringId]));
  }
  return { type: 'to', places };
}

/**
 * Undefined if there is a claim that names none. Entra puts an attribute of one value into a token as a string, or as an array, and of several as an
 * array; a constant of a claims policy is one string, so that one may hold several, as `scp` does. Claims that do not fit are named in `_claim_names`.
 */
function namesIn(claims: Readonly<Record<string, unknown>>, claimName: string): readonly string[] | undefined {
  const elsewhere = claims['_claim_names'];
  if (isRecord(elsewhere) && Object.hasOwn(elsewhere, claimName)) return undefined;
  if (!Object.hasOwn(claims, claimName)) return [];
  const claim = claims[claimName];
  const names = typeof claim === 'string' ? claim.split(/[ ,]+/).filter((name) => name !== '') : claim;
  if (!Array.isArray(names) || names.length === 0) return undefined;
  return names.every((name) => typeof name === 'string') ? names : undefined;
}

/** Undefined if a role looks like one that confines and is spelt otherwise: it would confine to nothing, and the token would be for all. */
function namesInRoles(roles: unknown): readonly string[] | undefined {
  const confining = (Array.isArray(roles) ? (roles as unknown[]) : [])
    .filter((role) => typeof role === 'string')
    .filter((role) => ALMOST_CONFINING.test(role));
  if (!confining.every((role) => role.startsWith(CONFINING_ROLE))) return undefined;
  return confining.map((role) => role.slice(CONFINING_ROLE.length));
}
