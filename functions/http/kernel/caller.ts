// Who is asking, from where, and what a caller may do. Claims come from a verified token only; what a header asserts about the person
// behind the call is recorded and never authorises. No I/O but through the TokenVerifier port.
import { isIP } from 'node:net';
import { isResourceId } from '../../../shared/domain/ids.ts';
import { err, ok, type Result } from '../../../shared/domain/result.ts';
import type { TokenVerifier, VerifiedToken } from '../../../shared/identity/identity.ts';
import { actorOf } from './actor.ts';
import { confinementOf, type Confinement } from './confinement.ts';
import type { EdgeRefusal } from './errors.ts';
import { claimOf, ROLES, type Role } from './roles.ts';

export interface Caller {
  readonly roles: ReadonlySet<Role>;
  /** The only company that a CompanyAdmin may know of; absent if the token names none. */
  readonly companyId?: string;
  /** How far all of its roles reach. */
  readonly confinement: Confinement;
  /** Stable, unique across issuers, and no secret: what is recorded as the one who asked. */
  readonly subject: string;
}

/** The claims by which a token says which companies it is for. */
export interface CallerClaims {
  /** Names the company of a CompanyAdmin. */
  readonly companyClaim: string;
  /** Names the companies and keyrings that a token is confined to, whatever its roles. */
  readonly confinedClaim: string;
}

/** Entra's tokens stay far below; a longer one is not worth a signature check. */
const MAX_AUTHORIZATION_CHARS = 16_384;
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** The caller behind the Authorization header. */
export async function authenticate(
  deps: CallerClaims & { readonly verifier: TokenVerifier },
  authorization: string | null,
): Promise<Result<Caller, EdgeRefusal>> {
  if (authorization === null) return err({ type: 'unauthenticated' });
  const token = authorization.length <= MAX_AUTHORIZATION_CHARS ? BEARER.exec(authorization)?.[1] : undefined;
  if (token === undefined)
    return err({ type: 'unauthenticated', reason: 'the Authorization header is no bearer token' });
  const verified = await deps.verifier.verify(token);
  if (verified.ok) return ok(callerOf(verified.value, deps));
  return verified.error.type === 'invalid'
    ? err({ type: 'unauthenticated', reason: verified.error.reason })
    : err({ type: 'identity-provider-unavailable' });
}

function callerOf({ claims, subject }: VerifiedToken, { companyClaim, confinedClaim }: CallerClaims): Caller {
  const held: readonly unknown[] = Array.isArray(claims['roles']) ? claims['roles'] : [];
  const roles = new Set(ROLES.filter((role) => held.includes(claimOf(role))));
  // Of a directory extension Entra makes an array, also of one value.
  const [company, ...more]: readonly unknown[] = [claims[companyClaim]].flat();
  const companyId = typeof company === 'string' && isResourceId(company) && more.length === 0 ? company : undefined;
  const confinement = confinementOf(claims, confinedClaim);
  return { roles, confinement, subject, ...(companyId === undefined ? {} : { companyId }) };
}

/** What a call is about, as its path says it, and who may ask for it. */
export interface Access {
  readonly roles: readonly Role[];
  /** Absent for routes of no company. */
  readonly companyId?: string;
  /** Absent for routes that concern the company as a whole. */
  readonly keyringId?: string;
  /** Answers a confined caller of its own companies or keyrings alone, by itself. */
  readonly isShared?: boolean;
}

/**
 * Undefined if the caller may. A company, or keyring, that the caller may not know of is answered exactly like one that does not exist. A token
 * without any of our roles gets 403 on every path: the answer is the same for every id, so it tells nothing.
 */
export function refuse(
  caller: Caller,
  access: Access,
  mustBeConfined: ReadonlySet<Role> = NO_ROLES,
): EdgeRefusal | undefined {
  const { roles, companyId } = access;
  const outside = caller.roles.size === 0 ? undefined : refuseConfined(caller, access, mustBeConfined);
  if (outside) return outside;
  const knows = (role: Role): boolean =>
    companyId === undefined || role !== 'CompanyAdmin' || caller.companyId === companyId;
  const known = [...caller.roles].filter(knows);
  if (known.some((role) => roles.includes(role))) return undefined;
  if (companyId !== undefined && known.length === 0 && caller.roles.size > 0)
    return { type: 'unknown-company', companyId };
  return { type: 'forbidden', roles };
}

const NO_ROLES: ReadonlySet<Role> = new Set();

/** Undefined if all that the call is about lies where the token is confined to. */
function refuseConfined(
  { roles, confinement }: Caller,
  { companyId, keyringId, isShared }: Access,
  mustBeConfined: ReadonlySet<Role>,
): EdgeRefusal | undefined {
  if (confinement.type === 'unreadable') return { type: 'confinement-unreadable' };
  if (confinement.type === 'none') {
    return [...roles].some((role) => mustBeConfined.has(role)) ? { type: 'confinement-required' } : undefined;
  }
  if (companyId === undefined) return isShared ? undefined : { type: 'token-confined' };
  const keyrings = confinement.places.get(companyId);
  if (keyrings === undefined) return { type: 'unknown-company', companyId };
  if (keyrings === 'whole') return undefined;
  if (keyringId === undefined) return isShared ? undefined : { type: 'token-confined' };
  return keyrings.has(keyringId) ? undefined : { type: 'unknown-keyring', keyringId };
}

/** Who is recorded as having asked: the token's subject and, if the vendor's product named one, the person behind it. */
export function requestedBy(caller: Pick<Caller, 'subject'>, actor: string | null): Result<string, EdgeRefusal> {
  if (actor === null) return ok(caller.subject);
  const name = actorOf(actor);
  if (name.ok) return ok(`${caller.subject} asserting ${JSON.stringify(name.value)}`);
  const details = [{ code: 'invalid-value', target: 'header.Keyswitch-Actor', message: `${name.error}.` }] as const;
  return err({ type: 'invalid-request', details });
}

/**
 * The address of the client as the platform's front end saw it: the last entry, which it appends itself, without its port. The client sent
 * what stands before. For the record only; empty if there is none.
 */
export function clientAddress(forwardedFor: string | null): string {
  const last = forwardedFor?.split(',').at(-1)?.trim() ?? '';
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(last)?.[1] ?? /^([^:]+):\d+$/.exec(last)?.[1] ?? last;
  return isIP(bare) === 0 ? '' : bare;
}
