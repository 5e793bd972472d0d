// Unwraps data keys for a caller: each decided by itself, all of one company-key version by one company key. The plaintexts are only in the answer; the
// edge overwrites them once they are sent.
import type { KeyringPlace } from '../../domain/keyring.ts';
import { unwrapDataKey } from '../../domain/data-key-blob.ts';
import type { Failure } from '../../domain/failure.ts';
import { isDataKeyId } from '../../domain/ids.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { CompanyKeyCache } from '../keys/company-key-cache.ts';
import type { KeptKeys } from '../keys/kept-keys.ts';
import type { Log } from '../../domain/ports.ts';
import type { KeyringShards, ShardedKeyring } from './keyring-shards.ts';
import type { WrappedKey } from '../../store/rows/data-rows.ts';
import type { FoundRow, WrappedRows } from './wrapped-rows.ts';

export interface Unwrapping {
  readonly companyKeys: Pick<CompanyKeyCache, 'get'>;
  /** Asked only if a data key's version was missing twice. */
  readonly keptKeys: Pick<KeptKeys, 'get' | 'used'>;
  readonly keyringShards: KeyringShards;
  readonly wrappedRows: WrappedRows;
  readonly log: Log;
}

export type UnwrapOutcome =
  | {
      readonly outcome: 'unwrapped';
      readonly keyId: string;
      readonly plaintext: Buffer;
      readonly companyKeyVersion: number;
    }
  /** `quarantined`: did not open during a pass, and does not now. `does-not-open`: no pass has met it yet. */
  | {
      readonly outcome: 'not-found' | 'deleted' | 'quarantined' | 'lost' | 'does-not-open';
      readonly keyId: string;
    }
  /** The provider in force refuses; asked once for all keys of a version. */
  | { readonly outcome: 'failure'; readonly keyId: string; readonly failure: Failure };

export const MAX_KEYS_PER_CALL = 1_000;

/** Outcomes in the order of `keyIds`, which may repeat. Throws StoreUnavailable. */
export async function unwrapDataKeys(
  deps: Unwrapping,
  input: KeyringPlace & { readonly keyIds: readonly string[] },
): Promise<Result<UnwrapOutcome[], Refusal>> {
  const { keyIds } = input;
  const invalid = judgeKeyIds(keyIds);
  if (invalid) return err(invalid);
  const keyring = await deps.keyringShards.find(input);
  return keyring.ok ? ok(await unwrapAll(deps, keyring.value, keyIds)) : keyring;
}

/**
 * The provider's refusal, if it is the reason for every key that the provider was needed for. Then callers get it once, as the status, as when they create
 * keys, and not a thousand times under 200. Undefined if there is another reason, or if any key opened.
 */
export function wholeFailure(outcomes: readonly UnwrapOutcome[]): Failure | undefined {
  let whole: Failure | undefined;
  for (const outcome of outcomes) {
    if (ABSENT.has(outcome.outcome)) continue;
    if (outcome.outcome !== 'failure') return undefined;
    if (whole && whole.code !== outcome.failure.code) return undefined;
    whole ??= outcome.failure;
  }
  return whole;
}

/** Outcomes that do not need the provider. */
const ABSENT: ReadonlySet<UnwrapOutcome['outcome']> = new Set(['not-found', 'deleted', 'lost']);

function judgeKeyIds(keyIds: readonly string[]): Refusal | undefined {
  if (keyIds.length < 1 || keyIds.length > MAX_KEYS_PER_CALL) {
    return { type: 'invalid', target: 'keyIds', message: `Name 1 to ${MAX_KEYS_PER_CALL} data keys.` };
  }
  const wrong = keyIds.findIndex((keyId) => !isDataKeyId(keyId));
  if (wrong < 0) return undefined;
  return { type: 'invalid', target: `keyIds[${wrong}]`, message: 'This is not the id of a data key.' };
}

/**
 * In rounds: a key that does not open by a cached row, or whose company key is gone because a commit came in between, is read again, for as long as its
 * version differs from the time before.
 */
async function unwrapAll(
  deps: Unwrapping,
  keyring: ShardedKeyring,
  keyIds: readonly string[],
): Promise<UnwrapOutcome[]> {
  const outcomes = new Array<UnwrapOutcome>(keyIds.length);
  const versionBefore = new Map<number, number>();
  const goneTwice: { readonly index: number; readonly found: FoundRow }[] = [];
  let todo = keyIds.map((_, index) => index);
  for (let round = 0; todo.length > 0; round += 1) {
    const wanted = todo.map((index) => keyIds[index] ?? '');
    const rows = await deps.wrappedRows.find(keyring, wanted, { anew: round > 0 });
    const companyKeys = await companyKeysOf(deps, keyring, rows);
    const again: number[] = [];
    for (const [position, index] of todo.entries()) {
      const keyId = wanted[position] ?? '';
      const found = rows[position] ?? { row: undefined, kept: false };
      const version = found.row?.companyKeyVersion ?? 0;
      const outcome = open(keyring, keyId, found, companyKeys.get(version));
      // invariant 1: a commit came in between, and the row now names the version that opens it
      if (outcome === 'gone' && versionBefore.get(index) !== version) {
        versionBefore.set(index, version);
        again.push(index);
      } else if (found.kept && outcome !== 'gone' && outcome.outcome === 'does-not-open') again.push(index);
      else if (outcome === 'gone') goneTwice.push({ index, found });
      else outcomes[index] = outcome;
    }
    todo = again;
  }
  for (const [index, outcome] of await openByKeptKeys(deps, { ...keyring, keyIds }, goneTwice))
    outcomes[index] = outcome;
  logUnopened(deps.log, keyring, outcomes);
  return outcomes;
}

type CompanyKeyAnswer = Awaited<ReturnType<CompanyKeyCache['get']>>;

const mayOpen = (row: WrappedKey): boolean => row.state === 'live' || row.state === 'quarantined';

/** The company key of each version, asked for once. */
async function companyKeysOf(
  { companyKeys }: Unwrapping,
  { companyId, keyringId }: KeyringPlace,
  rows: readonly FoundRow[],
): Promise<ReadonlyMap<number, CompanyKeyAnswer>> {
  const versions = new Set<number>();
  for (const { row } of rows) if (row && mayOpen(row)) versions.add(row.companyKeyVersion);
  const answers = new Map<number, CompanyKeyAnswer>();
  for (const version of versions) answers.set(version, await companyKeys.get({ companyId, keyringId, version }));
  return answers;
}

/** A quarantined key that opens is answered: quarantine keeps it from passes, not from its owner. */
function open(
  { companyId, keyringId }: KeyringPlace,
  keyId: string,
  { row }: FoundRow,
  companyKey: CompanyKeyAnswer | undefined,
): UnwrapOutcome | 'gone' {
  if (!row || row.state === 'tombstone') return { outcome: 'not-found', keyId };
  if (row.state === 'deleted' || row.state === 'lost') return { outcome: row.state, keyId };
  if (!companyKey) return 'gone';
  if (!companyKey.ok) {
    return companyKey.error.type === 'gone' ? 'gone' : { outcome: 'failure', keyId, failure: companyKey.error.failure };
  }
  const { companyKeyVersion, blob } = row;
  const context = { companyId, keyringId, keyId, companyKeyVersion };
  const plaintext = unwrapDataKey({ companyKey: companyKey.value, context, blob });
  if (plaintext) return { outcome: 'unwrapped', keyId, plaintext, companyKeyVersion };
  return { outcome: row.state === 'quarantined' ? 'quarantined' : 'does-not-open', keyId };
}

/**
 * Rows whose version was missing twice: either the tables were restored from copies of different instants, and that version's company key is kept, or
 * the rows were tampered with.
 */
async function openByKeptKeys(
  { keptKeys }: Unwrapping,
  place: KeyringPlace & { readonly keyIds: readonly string[] },
  goneTwice: readonly { readonly index: number; readonly found: FoundRow }[],
): Promise<ReadonlyMap<number, UnwrapOutcome>> {
  const { companyId, keyringId, keyIds } = place;
  const outcomes = new Map<number, UnwrapOutcome>();
  const byVersion = Map.groupBy(goneTwice, ({ found }) => found.row?.companyKeyVersion ?? 0);
  for (const [version, ones] of byVersion) {
    const key = await keptKeys.get({ companyId, keyringId, version });
    let opened = 0;
    for (const { index, found } of ones) {
      const keyId = keyIds[index] ?? '';
      const outcome = open(place, keyId, found, key);
      if (outcome !== 'gone' && outcome.outcome === 'unwrapped') opened += 1;
      outcomes.set(index, outcome === 'gone' ? withoutCompanyKey(found, keyId) : outcome);
    }
    if (opened > 0) await keptKeys.used({ companyId, keyringId, version }, opened);
  }
  return outcomes;
}

/** No key of that version is kept: the row was tampered with. */
const withoutCompanyKey = ({ row }: FoundRow, keyId: string): UnwrapOutcome => ({
  outcome: row?.state === 'quarantined' ? 'quarantined' : 'does-not-open',
  keyId,
});

function logUnopened(log: Log, place: KeyringPlace, outcomes: readonly UnwrapOutcome[]): void {
  for (const { outcome, keyId } of outcomes) {
    if (outcome !== 'does-not-open') continue;
    const detail = { companyId: place.companyId, keyringId: place.keyringId, keyId };
    log.write({ level: 'error', event: 'security.data-key-does-not-open', detail });
  }
}
