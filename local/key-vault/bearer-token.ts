// Is the bearer token one that this vault takes: signed by Entra's key, by the vault's own tenant, for Key Vault, in its
// lifetime? Throws the vault's 401. Nothing of a token ever reaches an answer but its issuer and audience.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { parseToken } from '../entra/jwt.ts';
import { issuerV1, VAULT_AUDIENCE } from '../identities.ts';
import type { Jwks } from '../entra/token-signer.ts';
import type { Caller, Vault } from './model.ts';
import {
  audienceWrong,
  issuerWrong,
  tokenExpired,
  tokenKeyUnknown,
  tokenMalformed,
  tokenMissing,
} from './vault-error.ts';

/** Keys themselves, a function that answers them, or the URL of a JWKS: the last two follow a key rotation. */
export type TokenKeys = Jwks | (() => Jwks | Promise<Jwks>) | string;

/** Azure allows for clocks that differ by this much. */
const CLOCK_SKEW_SECONDS = 300;

export class BearerTokens {
  readonly #source: TokenKeys;
  #keys = new Map<string, KeyObject>();

  constructor(source: TokenKeys) {
    this.#source = source;
  }

  async check(vault: Vault, authorization: string | undefined, nowMs: number): Promise<Caller> {
    const [, token] = /^Bearer ([\w.-]+)$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) throw tokenMissing(vault);
    const parsed = parseToken(token);
    if (!parsed) throw tokenMalformed(vault);
    const key = await this.#find(parsed.kid);
    if (!key) throw tokenKeyUnknown(vault);
    if (!parsed.isSignedBy(key)) throw tokenMalformed(vault);

    const { iss, aud, exp, nbf, appid, oid, tid } = parsed.claims;
    if (iss !== issuerV1(vault.tenantId)) throw issuerWrong(vault, String(iss));
    if (aud !== VAULT_AUDIENCE) throw audienceWrong(vault, String(aud));
    const now = nowMs / 1000;
    if (typeof exp !== 'number' || now > exp + CLOCK_SKEW_SECONDS) throw tokenExpired(vault);
    if (typeof nbf === 'number' && now < nbf - CLOCK_SKEW_SECONDS) throw tokenMalformed(vault);
    if (typeof appid !== 'string' || typeof oid !== 'string' || tid !== vault.tenantId) throw tokenMalformed(vault);
    return { appId: appid, objectId: oid, issuer: iss, tenantId: tid };
  }

  /** The keys are asked for again when a token names one that is not known: Entra has rotated. */
  async #find(kid: string): Promise<KeyObject | undefined> {
    if (!this.#keys.has(kid)) await this.#load();
    return this.#keys.get(kid);
  }

  async #load(): Promise<void> {
    const source = this.#source;
    const jwks = await (typeof source === 'string'
      ? download(source)
      : typeof source === 'function'
        ? source()
        : source);
    this.#keys = new Map(jwks.keys.map((jwk) => [jwk.kid, createPublicKey({ key: { ...jwk }, format: 'jwk' })]));
  }
}

async function download(url: string): Promise<Jwks> {
  const response = await fetch(url);
  return (await response.json()) as Jwks;
}
