// Checks that a repeated import brings the same material, before anything is written, since a refused call must write nothing. Compares with the rows
// themselves; bound-imports.ts binds a call that has no rows yet.
import type { KeyringPlace } from '../../domain/keyring.ts';
import pLimit from 'p-limit';
import { unwrapDataKey } from '../../domain/data-key-blob.ts';
import type { DataKey } from '../../domain/data-key.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sameBytes } from '../../domain/same-bytes.ts';
import type { CompanyKeyCache } from '../keys/company-key-cache.ts';
import type { Tables } from '../../store/tables.ts';
import { shardOfKey, type ShardedKeyring } from './keyring-shards.ts';
import type { IdentifiedKey } from './new-data-keys.ts';
import { loadDataKey } from './view.ts';

interface Comparing {
  readonly tables: Pick<Tables, 'read'>;
  readonly companyKeys: Pick<CompanyKeyCache, 'get'>;
}

const READS_IN_FLIGHT = 16;

/**
 * `idempotency-mismatch` if a row that this request made, deleted since or not, holds other bytes than the call imports; the provider's refusal if the
 * company key cannot be had to compare. A row that does not open is reported by the answer. Throws StoreUnavailable.
 */
export async function judgeRepeatedImports(
  deps: Comparing,
  input: {
    readonly keyring: ShardedKeyring;
    readonly planned: readonly IdentifiedKey[];
    readonly requestId: string;
  },
): Promise<Refusal | undefined> {
  const imports = input.planned.filter(({ isImport }) => isImport);
  const judged = await pLimit(READS_IN_FLIGHT).map(imports, async (key) => {
    const stored = await openOwn(deps, input, key.keyId);
    if (!stored.ok) return stored.error;
    const differs = stored.value !== undefined && !sameBytes(stored.value, key.plaintext);
    stored.value?.fill(0);
    return differs ? ({ type: 'idempotency-mismatch' } as const) : undefined;
  });
  return judged.find((one) => one?.type === 'idempotency-mismatch') ?? judged.find((one) => one !== undefined);
}

/** Reads again if the company key is gone: a commit came in between. */
async function openOwn(
  deps: Comparing,
  input: { readonly keyring: ShardedKeyring; readonly requestId: string },
  keyId: string,
): Promise<Result<Buffer | undefined, Refusal>> {
  const place = shardOfKey(input.keyring, keyId);
  let versionBefore = 0;
  for (;;) {
    const key = (await loadDataKey(deps.tables, place, keyId))?.value;
    if (key?.createdBy !== input.requestId || key.blob.length === 0) return ok(undefined);
    if (key.companyKeyVersion === versionBefore) return ok(undefined);
    versionBefore = key.companyKeyVersion;
    const opened = await open(deps, input.keyring, key);
    if (opened !== 'gone') return opened;
  }
}

async function open(
  { companyKeys }: Comparing,
  { companyId, keyringId }: KeyringPlace,
  { keyId, companyKeyVersion, blob }: DataKey,
): Promise<Result<Buffer | undefined, Refusal> | 'gone'> {
  const companyKey = await companyKeys.get({ companyId, keyringId, version: companyKeyVersion });
  if (companyKey.ok) {
    const context = { companyId, keyringId, keyId, companyKeyVersion };
    return ok(unwrapDataKey({ companyKey: companyKey.value, context, blob }));
  }
  return companyKey.error.type === 'gone' ? 'gone' : err(refusedBy(companyKey.error.failure));
}
