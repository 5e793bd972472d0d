// Creates data keys, generated or imported, 1 to 1,000 in a call, each decided by itself. Answers a plaintext only for a row that is known to hold it:
// one that this call's own transaction wrote, or one that was unwrapped from the store again.
import type { KeyringPlace } from '../../domain/keyring.ts';
import type { KeyObject } from 'node:crypto';
import { DATA_KEY_NONCE_BYTES, wrapDataKey } from '../../domain/data-key-blob.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { derivedId, type RequestIdentity } from '../../store/requests.ts';
import { dataKeyCells } from '../../store/rows/data-rows.ts';
import type { Cells, Tables } from '../../store/tables.ts';
import type { Clock, Entropy, Timers } from '../../domain/ports.ts';
import { bindImports } from './bound-imports.ts';
import { openEarlier } from './earlier-keys.ts';
import { shardOfKey, type ShardedKeyring, type WritePlace } from './keyring-shards.ts';
import { judgeNewDataKeys, type IdentifiedKey, type NewDataKey } from './new-data-keys.ts';
import { writeReopened } from './reopen-stale-shard.ts';
import type { NewRow, RowOutcome } from './shard-plan.ts';
import type { ShardWriter } from './shard-writer.ts';
import type { UnwrapOutcome, Unwrapping } from './unwrap.ts';

export interface Generating extends Unwrapping {
  readonly tables: Tables;
  readonly shardWriter: ShardWriter;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly entropy: Entropy;
}

type NotUnwrapped = Exclude<UnwrapOutcome, { readonly outcome: 'unwrapped' }>;

export type GenerateOutcome =
  | {
      readonly outcome: 'created';
      readonly keyId: string;
      readonly companyKeyVersion: number;
      /** Absent for an import, whose caller has it. The edge overwrites it once it is in the answer. */
      readonly plaintext?: Uint8Array;
    }
  /** Another request's key has this id, be it in use, deleted or purged: an id is never used again. */
  | { readonly outcome: 'id-taken'; readonly keyId: string }
  /** An earlier call of this request created it, but it cannot be unwrapped now. */
  | { readonly outcome: 'not-readable'; readonly keyId: string; readonly because: NotUnwrapped }
  | { readonly outcome: 'refused'; readonly keyId: string; readonly refusal: Refusal };

const GENERATED_BYTES = 32;
const NO_BLOB = new Uint8Array(0);

/** Outcomes in the order of `keys`; refused as a whole if no key was made, for one and the same reason. Throws StoreUnavailable. */
export async function generateDataKeys(
  deps: Generating,
  input: KeyringPlace & { readonly keys: readonly NewDataKey[]; readonly request: RequestIdentity },
): Promise<Result<{ readonly keyringId: string; readonly keys: GenerateOutcome[] }, Refusal>> {
  const { request } = input;
  const planned: PlannedKey[] = [];
  let answered = false;
  try {
    const invalid = judgeNewDataKeys(input.keys);
    if (invalid) return err(invalid);
    const keyring = await deps.keyringShards.read(input);
    if (!keyring.ok) return keyring;
    planned.push(...plan(deps, keyring.value, input));
    const mismatch = await bindImports(deps, { keyring: keyring.value, planned, request });
    if (mismatch) return err(mismatch);
    const written = await writeAll(deps, planned);
    const keys = await answerAll(deps, { keyring: keyring.value, planned, written, requestId: request.requestId });
    if (!keys.ok) return keys;
    const refusal = commonRefusal(keys.value);
    if (refusal) return err(refusal);
    answered = true;
    return ok({ keyringId: input.keyringId, keys: keys.value });
  } finally {
    for (const key of planned) if (!answered || !key.isAnswered) key.plaintext.fill(0);
    for (const key of input.keys) key.plaintext?.fill(0);
  }
}

interface Made {
  readonly requestId: string;
  readonly at: string;
  readonly entropy: Pick<Entropy, 'bytes'>;
}

/** A data key on its way into its shard: its plaintext, and its row wrapped under the version that the shard is written at. */
class PlannedKey implements NewRow, IdentifiedKey {
  readonly kind = 'new';
  readonly keyId: string;
  readonly isImport: boolean;
  readonly plaintext: Uint8Array;
  readonly place: WritePlace;
  /** True once its plaintext is part of the answer, and so must not be overwritten here. */
  isAnswered = false;
  readonly #made: Made;
  #wrapped: { readonly version: number; readonly companyKey: KeyObject; readonly cells: Cells } | undefined;

  constructor(key: IdentifiedKey & { readonly place: WritePlace }, made: Made) {
    this.keyId = key.keyId;
    this.isImport = key.isImport;
    this.plaintext = key.plaintext;
    this.place = key.place;
    this.#made = made;
  }

  /** The same cells as before while the company key is the same; otherwise wraps again. */
  wrap(companyKey: KeyObject, version: number): Cells {
    if (this.#wrapped?.version === version && this.#wrapped.companyKey === companyKey) return this.#wrapped.cells;
    const { companyId, keyringId } = this.place;
    const { requestId, at, entropy } = this.#made;
    const blob = wrapDataKey({
      companyKey,
      context: { companyId, keyringId, keyId: this.keyId, companyKeyVersion: version },
      nonce: entropy.bytes(DATA_KEY_NONCE_BYTES),
      plaintext: this.plaintext,
    });
    const cells = dataKeyCells({
      keyId: this.keyId,
      state: 'live',
      origin: this.isImport ? 'imported' : 'generated',
      blob,
      companyKeyVersion: version,
      previous: NO_BLOB,
      previousVersion: 0,
      createdBy: requestId,
      writtenBy: requestId,
      createdAt: at,
    });
    this.#wrapped = { version, companyKey, cells };
    return cells;
  }

  /** The answer for a key whose last wrapped row is known to be written. */
  answer(): { outcome: 'created'; keyId: string; companyKeyVersion: number; plaintext?: Uint8Array } {
    const created = { outcome: 'created', keyId: this.keyId, companyKeyVersion: this.#wrapped?.version ?? 0 } as const;
    if (this.isImport) return created;
    this.isAnswered = true;
    return { ...created, plaintext: this.plaintext };
  }
}

function plan(
  { clock, entropy }: Pick<Generating, 'clock' | 'entropy'>,
  keyring: ShardedKeyring,
  { keys, request }: { readonly keys: readonly NewDataKey[]; readonly request: RequestIdentity },
): PlannedKey[] {
  const { requestId, secret } = request;
  const made = { requestId, at: clock.now().toISOString(), entropy };
  const material = entropy.bytes(GENERATED_BYTES * keys.filter((key) => !key.plaintext).length);
  let used = 0;
  return keys.map((key, index) => {
    const keyId = key.keyId ?? (secret ? derivedId(secret, 'data-key', index) : entropy.id());
    const isImport = key.plaintext !== undefined;
    const plaintext = key.plaintext ?? material.subarray(used, (used += GENERATED_BYTES));
    return new PlannedKey({ keyId, isImport, plaintext, place: shardOfKey(keyring, keyId) }, made);
  });
}

/** Writes to all shards side by side. */
async function writeAll(
  deps: Generating,
  planned: readonly PlannedKey[],
): Promise<ReadonlyMap<PlannedKey, RowOutcome>> {
  const byShard = Map.groupBy(planned, ({ place }) => place.shard);
  const outcomes = new Map<PlannedKey, RowOutcome>();
  // Waits for every shard, even if one fails: after the answer, no write of this call is still on its way.
  const settled = await Promise.allSettled(
    Array.from(byShard.values(), async (keys) => {
      const [first] = keys;
      const written = first ? await writeShard(deps, first.place, keys) : [];
      for (const [index, key] of keys.entries()) outcomes.set(key, written[index] ?? { outcome: 'exists' });
    }),
  );
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  return outcomes;
}

async function writeShard(
  deps: Generating,
  place: WritePlace,
  keys: readonly PlannedKey[],
): Promise<readonly RowOutcome[]> {
  const written = await deps.shardWriter.write(place, keys);
  // A delete of the company may have closed the shard, turned back, and died before it opened the shard.
  return written.some(isOfClosed) ? writeReopened(deps, place, { rows: keys, written }) : written;
}

const isOfClosed = (one: RowOutcome): boolean =>
  one.outcome === 'refused' && one.refusal.type === 'state' && one.refusal.code === 'company-closing';

async function answerAll(
  deps: Generating,
  input: {
    readonly keyring: KeyringPlace;
    readonly planned: readonly PlannedKey[];
    readonly written: ReadonlyMap<PlannedKey, RowOutcome>;
    readonly requestId: string;
  },
): Promise<Result<GenerateOutcome[], Refusal>> {
  const { planned, written, ...asked } = input;
  const existing = planned.filter((key) => written.get(key)?.outcome === 'exists');
  const earlier =
    existing.length > 0 ? await openEarlier(deps, { ...asked, existing }) : ok(new Map<string, UnwrapOutcome>());
  if (!earlier.ok) return earlier;
  const answers: GenerateOutcome[] = [];
  for (const key of planned) {
    const outcome = written.get(key);
    const stored = earlier.value.get(key.keyId);
    if (stored) answers.push(answerFromStore(key, stored));
    else if (outcome?.outcome === 'written') answers.push(key.answer());
    else if (outcome?.outcome === 'refused')
      answers.push({ outcome: 'refused', keyId: key.keyId, refusal: outcome.refusal });
    else answers.push({ outcome: 'id-taken', keyId: key.keyId });
  }
  return ok(answers);
}

function answerFromStore({ keyId, isImport }: PlannedKey, stored: UnwrapOutcome): GenerateOutcome {
  if (stored.outcome !== 'unwrapped') return { outcome: 'not-readable', keyId, because: stored };
  const { companyKeyVersion, plaintext } = stored;
  if (!isImport) return { outcome: 'created', keyId, companyKeyVersion, plaintext };
  plaintext.fill(0);
  return { outcome: 'created', keyId, companyKeyVersion };
}

function commonRefusal(keys: readonly GenerateOutcome[]): Refusal | undefined {
  const [first] = keys;
  if (first?.outcome !== 'refused') return undefined;
  const same = keys.every((key) => key.outcome === 'refused' && key.refusal.type === first.refusal.type);
  return same ? first.refusal : undefined;
}
