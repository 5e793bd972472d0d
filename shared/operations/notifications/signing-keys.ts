// The keys by which a webhook's messages are signed: made here, kept under the vendor's key (keys/sealed-secrets.ts), opened when there is something to
// send and kept in memory for a time.
import { createHash } from 'node:crypto';
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Clock, Entropy } from '../../domain/ports.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import {
  keysAt,
  placeOfWebhookKey,
  type SignatureKind,
  type Webhook,
  type WebhookKey,
  type WebhookPlace,
} from '../../domain/webhook.ts';
import { SIGNING_SECRET_BYTES, signingKeyOf, verifierOf, type SigningKey } from '../../domain/webhook-message.ts';
import { openSecret, sealSecret, type SecretOpening, type SecretSealing } from '../keys/sealed-secrets.ts';

const MAX_KEPT = 10_000;

export interface MadeKey {
  readonly key: WebhookKey;
  /** What its receiver verifies with. Of `v1` it is the secret itself: told once, to the caller who asked for the key. */
  readonly verifier: string;
}

export async function makeSigningKey(
  deps: SecretSealing & { readonly entropy: Entropy; readonly clock: Clock },
  place: WebhookPlace,
  kind: SignatureKind,
): Promise<Result<MadeKey, Failure>> {
  const id = deps.entropy.id();
  const secret = deps.entropy.bytes(SIGNING_SECRET_BYTES);
  try {
    const verifier = verifierOf(signingKeyOf(kind, secret), secret);
    const sealed = await sealSecret(deps, placeOfWebhookKey(place, { id, kind }), secret);
    if (!sealed.ok) return sealed;
    const createdAt = deps.clock.now().toISOString();
    const ofKind = kind === 'v1a' ? { publicKey: verifier } : {};
    return ok({ key: { id, kind, ...ofKind, secret: sealed.value, createdAt }, verifier });
  } finally {
    secret.fill(0);
  }
}

export class SigningKeys {
  readonly #deps: SecretOpening & { readonly clock: Clock };
  readonly #keys: ExpiringCache<SigningKey, Failure>;

  constructor(
    deps: SecretOpening & { readonly clock: Clock },
    { ttlMs, maxEntries = MAX_KEPT }: { readonly ttlMs: number; readonly maxEntries?: number },
  ) {
    this.#deps = deps;
    this.#keys = new ExpiringCache(deps.clock, { ttlMs, maxEntries });
  }

  /** Every key that signs now, of a webhook whose seal was checked. At most one `unwrapKey` of the vendor's vault for each. */
  async of(place: WebhookPlace, webhook: Webhook): Promise<Result<readonly SigningKey[], Failure>> {
    const keys = await Promise.all(keysAt(webhook, this.#deps.clock.now()).map((key) => this.#open(place, key)));
    const opened: SigningKey[] = [];
    for (const key of keys) {
      if (!key.ok) return key;
      opened.push(key.value);
    }
    return ok(opened);
  }

  #open(place: WebhookPlace, key: WebhookKey): Promise<Result<SigningKey, Failure>> {
    const at = placeOfWebhookKey(place, key);
    const name = [...at, createHash('sha256').update(key.secret.blob).digest('hex')].join('|');
    return this.#keys.get(name, async () => {
      const secret = await openSecret(this.#deps, at, key.secret);
      if (!secret.ok) return err(secret.error);
      try {
        return ok(signingKeyOf(key.kind, secret.value));
      } finally {
        secret.value.fill(0);
      }
    });
  }
}
