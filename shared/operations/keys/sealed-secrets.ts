// Keeps small secrets that Keyswitch must use later: encrypted under the vendor's own key, whose vault opens each. The row that holds one is sealed, and
// its seal is checked before anything here is called (invariant A16).
import { createSecretKey, type KeyObject } from 'node:crypto';
import { failure } from '../../domain/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { BLOB_NONCE_BYTES } from '../../domain/gcm-blob.ts';
import type { Entropy } from '../../domain/ports.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import {
  decryptSecret,
  encryptSecret,
  SECRET_KEY_BYTES,
  type SealedSecret,
  type SecretPlace,
} from '../../domain/sealed-secret.ts';
import type { Providers, ReadKey } from '../../providers/provider.ts';

export interface SecretOpening {
  readonly providers: Providers;
}

export interface SecretSealing extends SecretOpening {
  readonly entropy: Pick<Entropy, 'bytes'>;
}

/** One `get` of the vendor's key. The caller overwrites `plaintext`. */
export async function sealSecret(
  { providers, entropy }: SecretSealing,
  place: SecretPlace,
  plaintext: Uint8Array,
): Promise<Result<SealedSecret, Failure>> {
  const { vendor } = providers;
  const provider = providers.of(vendor.ref);
  const key = await provider.read(vendor, { purpose: 'in-force' });
  if (!key.ok) return key;
  const own = entropy.bytes(SECRET_KEY_BYTES);
  try {
    const wrapped = await provider.wrap(vendor, key.value, own);
    if (!wrapped.ok) return wrapped;
    const nonce = entropy.bytes(BLOB_NONCE_BYTES);
    const blob = encryptSecret({ key: createSecretKey(own), place, nonce, plaintext });
    return ok({ ...wrapped.value, blob });
  } finally {
    own.fill(0);
  }
}

/** The secret, which the caller overwrites after use. One `unwrapKey` of the vendor's key; none if another key's version is named. */
export async function openSecret(
  opening: SecretOpening,
  place: SecretPlace,
  secret: SealedSecret,
): Promise<Result<Buffer, Failure>> {
  const own = await unwrapSecretKey(opening, place, secret);
  return own.ok ? decryptAt(own.value, place, secret) : own;
}

/** The secret's own key. One `unwrapKey` of the vendor's key. */
export async function unwrapSecretKey(
  { providers }: SecretOpening,
  place: SecretPlace,
  secret: SealedSecret,
): Promise<Result<KeyObject, Failure>> {
  const { vendor } = providers;
  const provider = providers.of(vendor.ref);
  if (!provider.isVersion(vendor, secret.keyId)) return err(failure('row-forged', { detail: place[0] }));
  const own = await provider.unwrap(vendor, secret);
  if (!own.ok) return err(provider.explain(own.error, { keyId: secret.keyId }));
  try {
    if (own.value.length === SECRET_KEY_BYTES) return ok(createSecretKey(own.value));
    return err(failure('row-forged', { detail: place[0] }));
  } finally {
    own.value.fill(0);
  }
}

export function decryptAt(
  key: KeyObject,
  place: SecretPlace,
  { blob }: Pick<SealedSecret, 'blob'>,
): Result<Buffer, Failure> {
  const opened = decryptSecret({ key, place, blob });
  return opened ? ok(opened) : err(failure('row-forged', { detail: place[0] }));
}

/** The same secret with its own key wrapped under another version of the vendor's key, by which it was opened again. Two `unwrapKey`. */
export async function rewrapSecret(
  opening: SecretOpening,
  { place, secret }: { readonly place: SecretPlace; readonly secret: SealedSecret },
  version: ReadKey,
): Promise<Result<SealedSecret, Failure>> {
  const { vendor } = opening.providers;
  const own = await unwrapSecretKey(opening, place, secret);
  if (!own.ok) return own;
  const exported = own.value.export();
  const wrapping = opening.providers.of(vendor.ref).wrap(vendor, version, exported);
  const wrapped = await wrapping.finally(() => exported.fill(0));
  if (!wrapped.ok) return wrapped;
  const next = { ...secret, ...wrapped.value };
  // invariant A7: what goes is replaced only by what its vault has opened
  const opened = await openSecret(opening, place, next);
  if (!opened.ok) return opened;
  opened.value.fill(0);
  return ok(next);
}
