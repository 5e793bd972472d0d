// Client secrets between their rows and those who use them. A secret is opened again through the vendor's vault before it is stored. Afterwards its own key
// is kept for a time as a KeyObject, so that this vault is asked far less often than Entra; the secret itself is never kept.
import type { KeyObject } from 'node:crypto';
import { placeOfClientSecret, type AppInTenant, type ClientSecret } from '../../domain/client-secret.ts';
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Clock } from '../../domain/ports.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sameBytes } from '../../domain/same-bytes.ts';
import {
  decryptAt,
  openSecret,
  sealSecret,
  unwrapSecretKey,
  type SecretOpening,
  type SecretSealing,
} from './sealed-secrets.ts';

const KEEP_MS = 60 * 60_000;
const MAX_KEPT = 10_000;

export class ClientSecrets {
  readonly #opening: SecretOpening;
  readonly #keys: ExpiringCache<KeyObject, Failure>;

  constructor(opening: SecretOpening, clock: Clock) {
    this.#opening = opening;
    this.#keys = new ExpiringCache(clock, { ttlMs: KEEP_MS, maxEntries: MAX_KEPT });
  }

  /** The secret in clear. One `unwrapKey` of the vendor's vault, or none; `row-forged` if it belongs elsewhere. */
  async open(secret: ClientSecret, of: AppInTenant): Promise<Result<string, Failure>> {
    const place = placeOfClientSecret(secret, of);
    const name = JSON.stringify([secret.keyId, secret.ciphertext]);
    const key = await this.#keys.get(name, () => unwrapSecretKey(this.#opening, place, secret));
    if (!key.ok) return key;
    return inClear(decryptAt(key.value, place, secret));
  }
}

/** The same with nothing kept. */
export const openClientSecret = async (
  opening: SecretOpening,
  secret: ClientSecret,
  of: AppInTenant,
): Promise<Result<string, Failure>> => inClear(await openSecret(opening, placeOfClientSecret(secret, of), secret));

/** Only a secret that the vendor's vault has opened again is ever stored. One `get` and one `unwrapKey`. */
export async function sealClientSecret(
  deps: SecretSealing,
  about: Pick<ClientSecret, 'companyId' | 'connectionId' | 'secretId' | 'enteredAt' | 'expiresAt'>,
  { value, ...of }: AppInTenant & { readonly value: string },
): Promise<Result<ClientSecret, Failure>> {
  const place = placeOfClientSecret(about, of);
  const plaintext = Buffer.from(value, 'utf8');
  try {
    const sealed = await sealSecret(deps, place, plaintext);
    if (!sealed.ok) return sealed;
    const back = await openSecret(deps, place, sealed.value);
    if (!back.ok) return back;
    const isSame = sameBytes(back.value, plaintext);
    back.value.fill(0);
    const { vendor } = deps.providers;
    if (isSame) return ok({ ...about, ...sealed.value });
    return err(deps.providers.of(vendor.ref).substituted(vendor, 'what came back is not what was wrapped'));
  } finally {
    plaintext.fill(0);
  }
}

function inClear(opened: Result<Buffer, Failure>): Result<string, Failure> {
  if (!opened.ok) return opened;
  const value = opened.value.toString('utf8');
  opened.value.fill(0);
  return ok(value);
}
