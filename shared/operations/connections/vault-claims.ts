// Which company a customer's vault key belongs to. A claim is made when consent is proved, and not when a key is named: naming somebody
// else's vault first keeps nobody out. One row for each key, inserted or refused; a claim without a connection does no harm.
import type { Actor } from '../../domain/audit.ts';
import type { Connection } from '../../domain/connection.ts';
import { failure } from '../../domain/failures.ts';
import { lackOfClaimedKey } from '../../identity/entra/consent.ts';
import type { Failure } from '../../domain/failure.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { claimCells, readClaim, type VaultClaim } from '../../store/rows/claim-rows.ts';
import { CLAIM_ROW_KEY, claimPartition, connectionRowKey, rowKeysUnder } from '../../store/rows/row-keys.ts';
import { readConnection } from '../../store/rows/sealed-rows.ts';
import type { Auditing } from '../../store/append.ts';
import { audited, settleAct, type ActRecord } from '../../store/audited.ts';
import { listAll, type Loaded } from '../../store/control-state.ts';
import type { RowWrite, Tables } from '../../store/tables.ts';
import { settleRaces, undecided, type Undecided } from '../../store/races.ts';

export interface VaultKeyName {
  /** Lower case. */
  readonly host: string;
  readonly keyName: string;
}

async function loadClaim(
  { tables }: { readonly tables: Pick<Tables, 'read'> },
  key: VaultKeyName,
): Promise<Loaded<VaultClaim> | undefined> {
  const row = await tables.read('vaultkeys', claimPartition(key), CLAIM_ROW_KEY);
  return row && { value: readClaim(row.cells), etag: row.etag };
}

/**
 * Success if the company holds it already. `vault-key-in-use` if another one does: a claim counts as long as a connection of its company
 * names the key, and so ends with the connection, with its pointing elsewhere, and with the company. One of its own that somebody is releasing, or
 * has left so and died, is claimed anew: the release then finds another claim than it meant.
 */
export function claimVaultKey(
  deps: Auditing,
  { companyId, ...key }: VaultKeyName & { readonly companyId: string },
): Promise<Result<void, Refusal>> {
  return settleRaces<undefined>(deps, async () => {
    const claim = await loadClaim(deps, key);
    const cells = claimCells({ companyId, state: 'held', claimedAt: deps.clock.now().toISOString() });
    let write: RowWrite = { kind: 'insert', rowKey: CLAIM_ROW_KEY, cells };
    if (claim) {
      const isOwn = claim.value.companyId === companyId;
      if (isOwn && claim.value.state === 'held') return ok(undefined);
      const free = isOwn ? ok(claim.etag) : await freed(deps, key, claim);
      if (typeof free === 'string' || !free.ok) return free;
      write = { kind: 'replace', rowKey: CLAIM_ROW_KEY, cells, etag: free.value };
    }
    const written = await deps.tables.write('vaultkeys', claimPartition(key), [write]);
    return written.outcome === 'committed' ? ok(undefined) : undecided(written);
  });
}

/** The ETag of another company's claim under which it may be taken over, since no connection of theirs names the key. */
async function freed(
  deps: Auditing,
  key: VaultKeyName,
  claim: Loaded<VaultClaim>,
): Promise<Result<string, Refusal> | Undecided> {
  const { companyId, state } = claim.value;
  const taken = err({ type: 'failure', failure: inUse(key) } as const);
  if (await isNamed(deps.tables, companyId, key)) return taken;
  // Marked first and looked at again, as a release is: whoever relies on it meanwhile finds the mark, or is found.
  const marked = await mark(deps, key, claim, 'releasing');
  if (typeof marked === 'string' || !marked.ok || !(await isNamed(deps.tables, companyId, key))) return marked;
  const held = await mark(deps, key, { value: claim.value, etag: marked.value }, state);
  return typeof held === 'string' ? held : taken;
}

const inUse = ({ host, keyName }: VaultKeyName): Failure => failure('vault-key-in-use', { vaultHost: host, keyName });

/** Undefined if the company holds the key now. Read after the switch has marked its connection, so that no release can slip in between. */
export async function lackOfClaim(
  deps: { readonly tables: Pick<Tables, 'read'> },
  { companyId, ...key }: VaultKeyName & { readonly companyId: string },
): Promise<Failure | undefined> {
  const claim = await loadClaim(deps, key);
  if (claim?.value.companyId === companyId && claim.value.state === 'held') return undefined;
  if (claim && claim.value.companyId !== companyId) return inUse(key);
  return lackOfClaimedKey(key);
}

export async function getClaim(
  deps: { readonly tables: Pick<Tables, 'read'> },
  key: VaultKeyName,
): Promise<Result<Loaded<VaultClaim>, Refusal>> {
  const claim = await loadClaim(deps, key);
  return claim ? ok(claim) : err(notFound('vault-claim', nameOf(key)));
}

/**
 * Takes a key away from the company that holds it: refused while a keyring or an unfinished switch of that company depends on it. First
 * marked, then looked at: a switch that begins meanwhile finds the mark, or is found. The claim goes in one transaction with its event.
 */
export async function releaseClaim(deps: Auditing, key: VaultKeyName, actor: Actor): Promise<Result<void, Refusal>> {
  const meant = (await loadClaim(deps, key))?.value;
  if (!meant) return err(notFound('vault-claim', nameOf(key)));
  const act = { action: 'vault-claim.release', companyId: meant.companyId, target: nameOf(key) };
  return audited(deps, actor, act, (record) =>
    settleAct(deps, record, () => releaseOnce(deps, key, { meant, record })),
  );
}

async function releaseOnce(
  deps: Auditing,
  key: VaultKeyName,
  { meant, record }: { readonly meant: VaultClaim; readonly record: ActRecord },
): Promise<Result<undefined, Refusal> | Undecided> {
  if (await record.landed()) return ok(undefined);
  const claim = await loadClaim(deps, key);
  // Gone by another's release, or that and claimed anew since: that claim nobody asked to release.
  if (!claim || !isSameClaim(meant, claim.value)) return ok(undefined);
  const marked = await mark(deps, key, claim, 'releasing');
  if (typeof marked === 'string' || !marked.ok) return marked;
  const { companyId } = claim.value;
  if (await isInUse(deps.tables, companyId, key)) {
    // A mark that stays would keep the company from the key that it uses.
    const held = await mark(deps, key, { value: claim.value, etag: marked.value }, 'held');
    if (typeof held === 'string') return held;
    const message = `A keyring or an unfinished switch of the company '${companyId}' depends on this key.`;
    return err({ type: 'state', code: 'vault-claim-in-use', message });
  }
  const gone = { kind: 'delete', rowKey: CLAIM_ROW_KEY, etag: marked.value } as const;
  const written = await record.write('vaultkeys', claimPartition(key), [gone]);
  return written.outcome === 'committed' ? ok(undefined) : undecided(written);
}

const isSameClaim = (a: VaultClaim, b: VaultClaim): boolean =>
  a.companyId === b.companyId && a.claimedAt === b.claimedAt;

/** The ETag of the claim in this state. */
async function mark(
  { tables }: Pick<Auditing, 'tables'>,
  key: VaultKeyName,
  claim: Loaded<VaultClaim>,
  state: VaultClaim['state'],
): Promise<Result<string, Refusal> | Undecided> {
  const cells = claimCells({ ...claim.value, state });
  const write = { kind: 'replace', rowKey: CLAIM_ROW_KEY, cells, etag: claim.etag } as const;
  const written = await tables.write('vaultkeys', claimPartition(key), [write]);
  return written.outcome === 'committed' ? ok(written.etags[0] ?? '') : undecided(written);
}

const isInUse = (tables: Tables, companyId: string, key: VaultKeyName): Promise<boolean> =>
  hasConnection(tables, companyId, (one) => claimPartition(one) === claimPartition(key) && one.usedBy.length > 0);

const isNamed = (tables: Tables, companyId: string, key: VaultKeyName): Promise<boolean> =>
  hasConnection(tables, companyId, (one) => claimPartition(one) === claimPartition(key));

/** A row that cannot be read counts as such a one: its company must mend it first. */
async function hasConnection(
  tables: Tables,
  companyId: string,
  isSuch: (connection: Connection) => boolean,
): Promise<boolean> {
  const prefix = connectionRowKey('');
  const rows = await listAll(tables, { table: 'companies', partitionKey: companyId, ...rowKeysUnder(prefix) });
  return rows.some((row) => {
    const connection = readConnection(row.cells, row.rowKey.slice(prefix.length));
    return !connection || isSuch(connection);
  });
}

const nameOf = ({ host, keyName }: VaultKeyName): string => `${host}/${keyName}`;
