// Making data keys: generated here or imported, 1 to 1,000 in a call, each decided by itself. A plaintext is answered only for a
// row that is known to hold it: what this call's own transaction wrote, or what is unwrapped from the store again.
import pLimit from 'p-limit';
import { DATA_KEY_MAX_BYTES, DATA_KEY_MIN_BYTES } from '../../domain/data-key-blob.ts';
import { isDataKeyId } from '../../domain/ids.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sameBytes } from '../../domain/same-bytes.ts';
import { loadCompany } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock, Entropy, Timers } from '../../domain/ports.ts';
import { derivedId, type RequestIdentity } from '../../store/requests.ts';
import { bindImports } from './bound-imports.ts';
import { writePlaceOf, type KeyringPlace } from './keyring-shards.ts';
import { PlannedKey } from './planned-key.ts';
import { reopenStaleShard } from './reopen-stale-shard.ts';
import type { RowOutcome, WritePlace } from './row-change.ts';
import type { ShardWriter } from './shard-writer.ts';
import { MAX_KEYS_PER_CALL, unwrapDataKeys, type UnwrapOutcome, type Unwrapping } from './unwrap.ts';
import { loadDataKey } from './view.ts';

export interface Generating extends Unwrapping {
  readonly tables: Tables;
  readonly shardWriter: ShardWriter;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly entropy: Entropy;
}

/** With a plaintext it is an import, whose buffer is overwritten in the end. Without an id one is made. */
export interface NewDataKey {
  readonly keyId?: string;
  readonly plaintext?: Uint8Array;
}

type NotUnwrapped = Exclude<UnwrapOutcome, { readonly outcome: 'unwrapped' }>;

export type GenerateOutcome =
  | {
      readonly outcome: 'created';
      readonly keyId: string;
      readonly companyKeyVersion: number;
      /** Not answered for an import: its caller has it. Whoever sends it overwrites it afterwards. */
      readonly plaintext?: Uint8Array;
    }
  /** Some other request's, whether in use, deleted or long gone: an id is never used again. */
  | { readonly outcome: 'id-taken'; readonly keyId: string }
  /** Created by this very request before, but it cannot be unwrapped now. */
  | { readonly outcome: 'not-readable'; readonly keyId: string; readonly because: NotUnwrapped }
  | { readonly outcome: 'refused'; readonly keyId: string; readonly refusal: Refusal };

const GENERATED_BYTES = 32;
const READS_IN_FLIGHT = 16;

/**
 * Outcomes in the order of `keys`; refused as a whole if not one key was made and the reason is the same for all. Without
 * `keyringId` the keys go to the company's default keyring. Throws StoreUnavailable.
 */
export async function generateDataKeys(
  deps: Generating,
  input: {
    readonly companyId: string;
    readonly keyringId?: string;
    readonly keys: readonly NewDataKey[];
    readonly request: RequestIdentity;
  },
): Promise<Result<{ readonly keyringId: string; readonly keys: GenerateOutcome[] }, Refusal>> {
  const planned: PlannedKey[] = [];
  let answered = false;
  try {
    const invalid = judgeKeys(input.keys);
    if (invalid) return err(invalid);
    const keyringId = input.keyringId ?? (await defaultKeyring(deps.tables, input.companyId));
    if (keyringId === undefined) return err(notFound('company', input.companyId));
    const place = { companyId: input.companyId, keyringId };
    const shards = await deps.keyringPlaces.read(place);
    if (!shards.ok) return shards;
    planned.push(...plan(deps, { ...input, place }));
    const { shardCount } = shards.value;
    const mismatch = await bindImports(deps, { ...place, planned, shardCount, request: input.request });
    if (mismatch) return err(mismatch);
    const written = await writeAll(deps, place, planned, shardCount);
    const keys = await answerAll(deps, { place, planned, written, request: input.request });
    if (!keys.ok) return keys;
    const refusal = commonRefusal(keys.value);
    if (refusal) return err(refusal);
    answered = true;
    return ok({ keyringId, keys: keys.value });
  } finally {
    for (const key of planned) if (!answered || !key.isAnswered) key.plaintext.fill(0);
    for (const key of input.keys) key.plaintext?.fill(0);
  }
}

/** What an idempotency key is bound to: which keys are asked for, never their material. See bindImports. */
export const describeNewDataKeys = (keyringId: string, keys: readonly NewDataKey[]): string =>
  JSON.stringify([keyringId, keys.map(({ keyId, plaintext }) => [keyId ?? null, plaintext?.length ?? null])]);

function judgeKeys(keys: readonly NewDataKey[]): Refusal | undefined {
  if (keys.length < 1 || keys.length > MAX_KEYS_PER_CALL) {
    return { type: 'invalid', target: 'keys', message: `Ask for 1 to ${MAX_KEYS_PER_CALL} data keys.` };
  }
  const ids = new Set<string>();
  for (const [index, { keyId, plaintext }] of keys.entries()) {
    if (plaintext && (plaintext.length < DATA_KEY_MIN_BYTES || plaintext.length > DATA_KEY_MAX_BYTES)) {
      const message = `An imported data key has ${DATA_KEY_MIN_BYTES} to ${DATA_KEY_MAX_BYTES} bytes.`;
      return { type: 'invalid', target: `keys[${index}].plaintext`, message };
    }
    if (keyId === undefined) continue;
    const target = `keys[${index}].keyId`;
    if (!isDataKeyId(keyId)) return { type: 'invalid', target, message: 'This cannot be the id of a data key.' };
    if (ids.has(keyId)) return { type: 'invalid', target, message: 'This id is asked for twice in one call.' };
    ids.add(keyId);
  }
  return undefined;
}

async function defaultKeyring(tables: Tables, companyId: string): Promise<string | undefined> {
  return (await loadCompany(tables, companyId))?.value.defaultKeyring;
}

function plan(
  deps: Pick<Generating, 'clock' | 'entropy'>,
  input: {
    readonly place: KeyringPlace;
    readonly keys: readonly NewDataKey[];
    readonly request: RequestIdentity;
  },
): PlannedKey[] {
  const { requestId, secret } = input.request;
  const createdAt = deps.clock.now().toISOString();
  const material = deps.entropy.bytes(GENERATED_BYTES * input.keys.filter((key) => !key.plaintext).length);
  let used = 0;
  return input.keys.map((key, index) => {
    const keyId = key.keyId ?? (secret ? derivedId(secret, 'data-key', index) : deps.entropy.id());
    const isImport = key.plaintext !== undefined;
    const plaintext = key.plaintext ?? material.subarray(used, (used += GENERATED_BYTES));
    const { entropy } = deps;
    return new PlannedKey({ place: input.place, keyId, plaintext, isImport, requestId, createdAt, entropy });
  });
}

/** Shard by shard, side by side; outcomes in the order of the keys. */
async function writeAll(
  deps: Generating,
  place: KeyringPlace,
  planned: readonly PlannedKey[],
  shardCount: number,
): Promise<Map<PlannedKey, RowOutcome>> {
  const byShard = new Map<number, { readonly place: WritePlace; readonly keys: PlannedKey[] }>();
  for (const key of planned) {
    const at = writePlaceOf(place, key.keyId, shardCount);
    key.place = at;
    const group = byShard.get(at.shard);
    if (group) group.keys.push(key);
    else byShard.set(at.shard, { place: at, keys: [key] });
  }
  const outcomes = new Map<PlannedKey, RowOutcome>();
  // Every shard is waited for, also when one cannot be written: nothing of this call is on its way once it has answered.
  const settled = await Promise.allSettled(
    [...byShard.values()].map(async (group) => {
      const written = await writeShard(deps, group.place, group.keys);
      for (const [index, key] of group.keys.entries()) outcomes.set(key, written[index] ?? { outcome: 'exists' });
    }),
  );
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  return outcomes;
}

/** A shard may still be closed from a delete of the company that turned back and died: then it is opened here. */
async function writeShard(
  deps: Generating,
  place: WritePlace,
  keys: readonly PlannedKey[],
): Promise<readonly RowOutcome[]> {
  const written = await deps.shardWriter.write(place, keys);
  const isClosed = written.some(
    (one) => one.outcome === 'refused' && one.refusal.type === 'state' && one.refusal.code === 'company-closing',
  );
  if (!isClosed || !(await reopenStaleShard(deps, place))) return written;
  const open = keys.filter((_, index) => written[index]?.outcome === 'refused');
  const again = await deps.shardWriter.write(place, open);
  return keys.map((key, index) => again[open.indexOf(key)] ?? written[index] ?? { outcome: 'exists' });
}

async function answerAll(
  deps: Generating,
  input: {
    readonly place: KeyringPlace;
    readonly planned: readonly PlannedKey[];
    readonly written: ReadonlyMap<PlannedKey, RowOutcome>;
    readonly request: RequestIdentity;
  },
): Promise<Result<GenerateOutcome[], Refusal>> {
  const existing = input.planned.filter((key) => input.written.get(key)?.outcome === 'exists');
  const own = existing.length > 0 ? await ownAmong(deps, existing, input.request.requestId) : [];
  const recovered = own.length > 0 ? await recover(deps, input.place, own) : ok(new Map<string, UnwrapOutcome>());
  if (!recovered.ok) return recovered;
  if (own.some((key) => isAnotherKey(key, recovered.value.get(key.keyId)))) {
    for (const stored of recovered.value.values()) if (stored.outcome === 'unwrapped') stored.plaintext.fill(0);
    return err({ type: 'idempotency-mismatch' });
  }
  const answers: GenerateOutcome[] = [];
  for (const key of input.planned) {
    const outcome = input.written.get(key);
    const stored = recovered.value.get(key.keyId);
    if (stored) answers.push(answerFromStore(key, stored));
    else if (outcome?.outcome === 'written') answers.push(key.answer());
    else if (outcome?.outcome === 'refused')
      answers.push({ outcome: 'refused', keyId: key.keyId, refusal: outcome.refusal });
    else answers.push({ outcome: 'id-taken', keyId: key.keyId });
  }
  return ok(answers);
}

/** Those whose row this very request made, now or in an earlier call. */
async function ownAmong(
  deps: Generating,
  existing: readonly PlannedKey[],
  requestId: string,
): Promise<readonly PlannedKey[]> {
  const isOwn = await pLimit(READS_IN_FLIGHT).map(existing, async ({ place, keyId }) => {
    const row = place && (await loadDataKey(deps.tables, place, keyId));
    return row?.value.createdBy === requestId;
  });
  return existing.filter((_, index) => isOwn[index]);
}

async function recover(
  deps: Generating,
  place: KeyringPlace,
  keys: readonly PlannedKey[],
): Promise<Result<Map<string, UnwrapOutcome>, Refusal>> {
  const unwrapped = await unwrapDataKeys(deps, { ...place, keyIds: keys.map(({ keyId }) => keyId) });
  if (!unwrapped.ok) return unwrapped;
  return ok(new Map(unwrapped.value.map((outcome) => [outcome.keyId, outcome])));
}

function answerFromStore({ keyId, isImport }: PlannedKey, stored: UnwrapOutcome): GenerateOutcome {
  if (stored.outcome !== 'unwrapped') return { outcome: 'not-readable', keyId, because: stored };
  const { companyKeyVersion, plaintext } = stored;
  if (!isImport) return { outcome: 'created', keyId, companyKeyVersion, plaintext };
  plaintext.fill(0);
  return { outcome: 'created', keyId, companyKeyVersion };
}

/** A repeat that imports other material under the same id is another body. */
function isAnotherKey({ isImport, plaintext }: PlannedKey, stored: UnwrapOutcome | undefined): boolean {
  if (!isImport || stored?.outcome !== 'unwrapped') return false;
  return !sameBytes(stored.plaintext, plaintext);
}

function commonRefusal(keys: readonly GenerateOutcome[]): Refusal | undefined {
  const [first] = keys;
  if (first?.outcome !== 'refused') return undefined;
  const same = keys.every((key) => key.outcome === 'refused' && key.refusal.type === first.refusal.type);
  return same ? first.refusal : undefined;
}
