// ID tokens that are wrong on purpose: planted through the control API, each spoils the next ID token that is issued.
// Everything else about the sign-in stays as it was, so that an application refuses the token for that one reason.
import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import * as z from 'zod';
import type { RoutePatterns } from '../control/route-patterns.ts';
import { withOverrides } from '../entra/claims.ts';
import type { Claims, TokenSigner } from '../entra/token-signer.ts';

const tokenPlan = z.strictObject({
  /** Laid over the claims; `null` takes a claim out. */
  overrides: z.record(z.string(), z.unknown()).default({}),
  /** Moves `iat`, `nbf`, `exp` and `auth_time`: below zero for a token that has expired, above for one from the future. */
  shiftSeconds: z.number().int().default(0),
  /**
   * `published`: by the key in use. `unknown-key`: by a key that is not published, under a name of its own.
   * `wrong-key`: by such a key, under the name of the published one. `none`: not at all. `HS256`: with `secret`.
   */
  signature: z.enum(['published', 'unknown-key', 'wrong-key', 'none', 'HS256']).default('published'),
  /** For HS256; the modulus of the published key unless told, as a confused validator would take it. */
  secret: z.string().optional(),
});
type TokenPlan = z.infer<typeof tokenPlan>;

const TIMES = ['iat', 'nbf', 'exp', 'auth_time'];
const MAX_PLANS = 100;
const MODULUS_BITS = 2048;

export class PlannedTokens {
  readonly #signer: TokenSigner;
  readonly #plans: TokenPlan[] = [];

  constructor(signer: TokenSigner) {
    this.#signer = signer;
  }

  plan(plan: TokenPlan): void {
    if (this.#plans.length >= MAX_PLANS) throw new Error(`no more than ${MAX_PLANS} tokens can be planned`);
    this.#plans.push(plan);
  }

  /** The ID token for these claims, spoilt if the next one is to be. */
  sign(claims: Claims): string {
    const plan = this.#plans.shift();
    return plan ? spoil(claims, plan, this.#signer) : this.#signer.sign(claims);
  }

  addCalls(routes: RoutePatterns): void {
    routes
      .withBody('POST /id-tokens/next', tokenPlan, (plan) => this.plan(plan))
      .on('DELETE /id-tokens/next', () => {
        this.#plans.length = 0;
      });
  }
}

function spoil(claims: Claims, plan: TokenPlan, signer: TokenSigner): string {
  const shifted = Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [
      name,
      TIMES.includes(name) && typeof value === 'number' ? value + plan.shiftSeconds : value,
    ]),
  );
  const said = withOverrides(shifted, plan.overrides);
  const [published] = signer.jwks.keys;
  if (plan.signature === 'published' || !published) return signer.sign(said);
  switch (plan.signature) {
    case 'none':
      return `${encode({ typ: 'JWT', alg: 'none' })}.${encode(said)}.`;
    case 'HS256': {
      const text = `${encode({ typ: 'JWT', alg: 'HS256', kid: published.kid })}.${encode(said)}`;
      return `${text}.${createHmac('sha256', plan.secret ?? published.n)
        .update(text)
        .digest('base64url')}`;
    }
    case 'unknown-key':
    case 'wrong-key': {
      const kid = plan.signature === 'wrong-key' ? published.kid : randomUUID();
      const text = `${encode({ typ: 'JWT', alg: 'RS256', kid })}.${encode(said)}`;
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: MODULUS_BITS });
      return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
    }
  }
}

function encode(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
