// Which company a customer's vault key belongs to. A company claims a key when consent is proved, not when it names the key: naming another company's
// vault first keeps no one out. One row for each key, inserted or refused; a claim without a connection does no harm. A key that the vendor hosts is claimed
// as it is entered, with its whole vault, and no vault has confirmed that: such a claim counts among entries, and against a proof only once the key is in use.
import type { Actor } from '../../domain/audit.ts';
import type { Connection } from '../../domain/connection.ts';
import { failure } from '../../domain/failures.ts';
import { isHostedByVendor, lackOfClaimedKey } from '../../identity/registry/tenant-kinds.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Credential } from '../../domain/provider.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { act, change, changeOnce } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import { find, list, type Found, type Loaded } from '../../store/found.ts';
import type { Undecided } from '../../store/races.ts';
import { claimRow, WHOLE_VAULT, type VaultClaim, type VaultKeyName } from '../../store/rows/claim-rows.ts';
import { connectionsOf } from '../../store/rows/sealed-rows.ts';
import type { Tables } from '../../store/tables.ts';

export type { VaultKeyName } from '../../store/rows/claim-rows.ts';

const loadClaim = (
  { tables }: { readonly tables: Pick<Tables, 'read'> },
  key: VaultKeyName,
): Promise<Found<VaultClaim> | undefined> => find(tables, claimRow, key);

interface Claiming extends VaultKeyName {
  readonly companyId: string;
  /** On the word of the vendor alone, who entered it. Otherwise the vault has said which tenant is its own, and let us in there. */
  readonly byEntry?: true;
}

/**
 * Success if the company already holds the key. `vault-key-in-use` if another company does: a claim counts while a connection of its company names the key,
 * so it ends when that connection is deleted or changed, or with the company. A claim of its own that is being released, or whose release died, is
 * claimed again: the release then finds a different claim and leaves it.
 */
export function claimVaultKey(
  deps: Auditing,
  { companyId, byEntry, ...key }: Claiming,
): Promise<Result<void, Refusal>> {
  const counts = byEntry ? isOf : isOfProved;
  return change<undefined>(deps, async (tx) => {
    const claim = await loadClaim(deps, key);
    const held: VaultClaim = { companyId, state: 'held', claimedAt: deps.clock.now().toISOString() };
    const isOwn = claim?.value.companyId === companyId;
    if (isOwn && claim.value.state === 'held') return ok(undefined);
    const free = !claim || isOwn ? ok(claim) : await freed(deps, key, { claim, counts });
    if (typeof free === 'string' || !free.ok) return free;
    tx.put(claimRow, key, free.value, held);
    return ok(undefined);
  });
}

/** Another company's claim, marked, that may be taken over since no connection of theirs counts for it. */
async function freed(
  deps: Auditing,
  key: VaultKeyName,
  { claim, counts }: { readonly claim: Found<VaultClaim>; readonly counts: typeof isOf },
): Promise<Result<Found<VaultClaim>, Refusal> | Undecided> {
  const { companyId, state } = claim.value;
  const taken = err({ type: 'failure', failure: inUse(key) } as const);
  const isNamed = (): Promise<boolean> => hasConnection(deps.tables, companyId, (one) => counts(one, key));
  if (await isNamed()) return taken;
  // Mark first and look again, as a release does: a switch that begins meanwhile finds the mark, or is found by the look.
  const marked = await mark(deps, claim, 'releasing');
  if (!marked.ok) return marked.error;
  if (!(await isNamed())) return marked;
  const held = await mark(deps, marked.value, state);
  return held.ok ? taken : held.error;
}

const inUse = ({ host, keyName }: VaultKeyName): Failure =>
  failure('vault-key-in-use', { vaultHost: host, ...(keyName === WHOLE_VAULT ? { detail: OF_VAULT } : { keyName }) });

const OF_VAULT = 'a vault that the vendor hosts is for the keys of one company';

/** What a company must hold to use a key: of one that the vendor hosts its whole vault too. */
export const claimsTo = (
  { host, keyName }: VaultKeyName,
  credential: Credential | undefined,
): readonly [VaultKeyName, ...VaultKeyName[]] =>
  credential && isHostedByVendor(credential)
    ? [
        { host, keyName: WHOLE_VAULT },
        { host, keyName },
      ]
    : [{ host, keyName }];

/** Undefined if the company holds the key now. Read after the switch has marked its connection, so that no release can slip in between. */
export async function lackOfClaim(
  deps: { readonly tables: Pick<Tables, 'read'> },
  {
    companyId,
    credential,
    ...key
  }: VaultKeyName & { readonly companyId: string; readonly credential?: Credential | undefined },
): Promise<Failure | undefined> {
  for (const needed of claimsTo(key, credential)) {
    const claim = await loadClaim(deps, needed);
    if (claim && claim.value.companyId !== companyId) return inUse(needed);
    if (claim?.value.state !== 'held') return lackOfClaimedKey(key, credential);
  }
  return undefined;
}

/** A key and, where the caller may know of some companies only, these: a claim of another one is as if there were none. */
type AskedClaim = VaultKeyName & { readonly only?: ReadonlySet<string> };

export async function getClaim(
  deps: { readonly tables: Pick<Tables, 'read'> },
  { only, ...key }: AskedClaim,
): Promise<Result<Loaded<VaultClaim>, Refusal>> {
  const claim = await loadClaim(deps, key);
  const isKnown = claim && (only?.has(claim.value.companyId) ?? true);
  return isKnown ? ok(claim) : err(notFound('vault-claim', nameOf(key)));
}

/**
 * Takes a key from the company that holds it: refused while a keyring or an unfinished switch of that company depends on it. Marks first, then looks: a
 * switch that begins meanwhile finds the mark, or is found. The claim is deleted in one transaction with its event.
 */
export async function releaseClaim(deps: Auditing, asked: AskedClaim, actor: Actor): Promise<Result<void, Refusal>> {
  const { only: _judged, ...key } = asked;
  const found = await getClaim(deps, asked);
  if (!found.ok) return found;
  const meant = found.value.value;
  const { companyId } = meant;
  const about = { actor, action: 'vault-claim.release', companyId, target: nameOf(key) };
  return act<undefined>(deps, about, async (tx) => {
    const claim = await tx.find(claimRow, key);
    // Another call released it, and it may have been claimed again since: no one asked to release that new claim.
    if (!claim || !isSameClaim(meant, claim.value)) return ok(undefined);
    const marked = await mark(deps, claim, 'releasing');
    if (!marked.ok) return marked.error;
    if (await isInUse(deps.tables, companyId, key)) {
      // A mark that stays would keep the company from the key that it uses.
      const held = await mark(deps, marked.value, 'held');
      if (!held.ok) return held.error;
      const message = `A keyring or an unfinished switch of the company '${companyId}' depends on this key.`;
      return err({ type: 'state', code: 'vault-claim-in-use', message });
    }
    tx.delete(marked.value);
    return ok(undefined);
  });
}

const isSameClaim = (a: VaultClaim, b: VaultClaim): boolean =>
  a.companyId === b.companyId && a.claimedAt === b.claimedAt;

/** The claim in this state. */
const mark = (
  deps: Auditing,
  claim: Found<VaultClaim>,
  state: VaultClaim['state'],
): Promise<Result<Found<VaultClaim>, Undecided>> =>
  changeOnce(deps, (tx) => tx.replace(claim, { ...claim.value, state }));

const isOf = (connection: Connection, key: VaultKeyName): boolean =>
  key.keyName === WHOLE_VAULT
    ? connection.host === key.host && isHostedByVendor(connection.credential)
    : claimRow.partition(connection) === claimRow.partition(key);

/** The same against a proof: an entry of the vendor's stands up to one once the key is in use, for then the vault has confirmed it too. */
const isOfProved = (connection: Connection, key: VaultKeyName): boolean =>
  isOf(connection, key) && (connection.usedBy.length > 0 || !isHostedByVendor(connection.credential));

const isInUse = (tables: Tables, companyId: string, key: VaultKeyName): Promise<boolean> =>
  hasConnection(tables, companyId, (one) => isOf(one, key) && one.usedBy.length > 0);

/** A row that cannot be read counts as such a one: its company must mend it first. */
async function hasConnection(
  tables: Tables,
  companyId: string,
  isSuch: (connection: Connection) => boolean,
): Promise<boolean> {
  const connections = await list(tables, connectionsOf, { companyId });
  return connections.some(({ value }) => !value || isSuch(value));
}

const nameOf = ({ host, keyName }: VaultKeyName): string => `${host}/${keyName}`;
