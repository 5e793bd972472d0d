// Binds a call that imports under an Idempotency-Key to its material before anything is written: the key's row takes a digest of it, so that of two
// calls at once with different material one finds the other's digest. The digest is keyed by the company key, so a reader of the tables cannot test
// guesses. If that company key is gone since, a switch has ended, and the rows themselves show what was imported.
import { createHmac, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto';
import { lengthPrefixed } from '../../domain/length-prefixed.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { change, type Changed } from '../../store/act.ts';
import { keyringRow } from '../../store/rows/keyring-rows.ts';
import { requestRow, type StoredRequest } from '../../store/rows/request-rows.ts';
import type { Tx } from '../../store/tx.ts';
import type { CompanyKeyCache } from '../keys/company-key-cache.ts';
import type { Tables } from '../../store/tables.ts';
import type { Races } from '../../store/races.ts';
import type { RequestIdentity } from '../../store/requests.ts';
import type { ShardedKeyring } from './keyring-shards.ts';
import type { IdentifiedKey } from './new-data-keys.ts';
import { judgeRepeatedImports } from './repeated-imports.ts';

interface Binding extends Races {
  readonly tables: Tables;
  readonly companyKeys: Pick<CompanyKeyCache, 'get'>;
}

interface Asked {
  readonly keyring: ShardedKeyring;
  readonly planned: readonly IdentifiedKey[];
  readonly request: RequestIdentity;
}

const LABEL = 'keyswitch.imported-material.1';
const DIGEST_KEY_BYTES = 32;

/**
 * Undefined once the call is bound, or need not be. `idempotency-mismatch` if another call of this request, before or at the same time, imports other
 * bytes; the provider's refusal if the company key cannot be had to compare. Nothing was written then. Throws StoreUnavailable.
 */
export async function bindImports(deps: Binding, asked: Asked): Promise<Refusal | undefined> {
  const { request } = asked;
  if (!asked.planned.some(({ isImport }) => isImport)) return undefined;
  const { rowKey } = request;
  if (rowKey === undefined) return request.repeated === false ? undefined : judgeByRows(deps, asked);
  const bound = await change<undefined>(deps, (tx) => bindOnce(deps, { ...asked, hash: rowKey }, tx));
  return bound.ok ? undefined : bound.error;
}

async function bindOnce(deps: Binding, asked: Asked & { readonly hash: string }, tx: Tx): Promise<Changed<undefined>> {
  const { request, keyring, hash } = asked;
  const row = await tx.find(requestRow, { companyId: keyring.companyId, hash });
  if (row?.value.requestId !== request.requestId) return 'lost-race';
  const bound = boundIn(row.value);
  if (bound) {
    const digest = await digestUnder(deps, asked, bound.version);
    if (digest.ok) return timingSafeEqual(digest.value, bound.digest) ? ok(undefined) : err(MISMATCH);
    if (digest.error !== 'gone') return err(digest.error);
  }
  const mismatch = bound || request.repeated !== false ? await judgeByRows(deps, asked) : undefined;
  if (mismatch) return err(mismatch);
  const { activeVersion } = (await tx.need(keyringRow, keyring)).value;
  const digest = await digestUnder(deps, asked, activeVersion);
  if (!digest.ok) return digest.error === 'gone' ? 'lost-race' : err(digest.error);
  const next = { ...row.value, importsUnder: activeVersion, importsDigest: digest.value };
  tx.merge(row, next, ['importsUnder', 'importsDigest']);
  return ok(undefined);
}

const MISMATCH: Refusal = { type: 'idempotency-mismatch' };

const judgeByRows = (deps: Binding, { request, ...asked }: Asked): Promise<Refusal | undefined> =>
  judgeRepeatedImports(deps, { ...asked, requestId: request.requestId });

function boundIn(request: StoredRequest): { readonly version: number; readonly digest: Uint8Array } | undefined {
  const { importsUnder: version, importsDigest: digest } = request;
  return version === undefined || digest?.length !== DIGEST_KEY_BYTES ? undefined : { version, digest };
}

async function digestUnder(
  { companyKeys }: Binding,
  asked: Asked,
  version: number,
): Promise<Result<Buffer, Refusal | 'gone'>> {
  const { companyId, keyringId } = asked.keyring;
  const key = await companyKeys.get({ companyId, keyringId, version });
  if (key.ok) return ok(digestOf(key.value, asked));
  return err(key.error.type === 'gone' ? 'gone' : refusedBy(key.error.failure));
}

/** HMAC-SHA256 over every import with its id, under a key that HKDF derives from the company key for this request only. */
function digestOf(companyKey: KeyObject, { keyring, planned, request }: Asked): Buffer {
  const { companyId, keyringId } = keyring;
  const info = lengthPrefixed([LABEL, companyId, keyringId, request.requestId]);
  const key = Buffer.from(hkdfSync('sha256', companyKey, new Uint8Array(0), info, DIGEST_KEY_BYTES));
  const hmac = createHmac('sha256', key);
  for (const { isImport, keyId, plaintext } of planned) {
    if (isImport) hmac.update(lengthPrefixed([keyId, String(plaintext.length)])).update(plaintext);
  }
  key.fill(0);
  return hmac.digest();
}
