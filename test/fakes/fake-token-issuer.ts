// An issuer of access tokens with a real key set, served on loopback: what Entra is to the API, wrong in one way when asked.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KeyObject } from 'node:crypto';
import { exportJWK, SignJWT, type JWK } from 'jose';
import { keyFixture } from '../fixtures/key-fixtures.ts';

export const TENANT_ID = '7e5d0000-0000-4000-8000-000000000001';
export const AUDIENCE = '7e5d0000-0000-4000-8000-0000000000a1';
const ISSUER = `https://login.microsoftonline.com/${TENANT_ID}/v2.0`;
export const OBJECT_ID = '7e5d0000-0000-4000-8000-00000000beef';

export type Claims = Record<string, unknown>;

/** An app's own v2.0 access token; `undefined` takes a claim out. */
export function appClaims(overrides: Claims = {}): Claims {
  const now = Math.floor(Date.now() / 1000);
  const claims: Claims = {
    aud: AUDIENCE,
    iss: ISSUER,
    iat: now,
    nbf: now,
    exp: now + 3600,
    azp: '7e5d0000-0000-4000-8000-0000000000b1',
    azpacr: '1',
    oid: OBJECT_ID,
    roles: [],
    sub: OBJECT_ID,
    tid: TENANT_ID,
    ver: '2.0',
    ...overrides,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

export class FakeTokenIssuer {
  /** Answered in place of the key set: a fault of the issuer. */
  failWith: number | undefined;
  keySetRequests = 0;
  readonly #key: KeyObject;
  readonly #jwk: JWK;
  readonly #server: Server;

  private constructor(key: KeyObject, jwk: JWK) {
    this.#key = key;
    this.#jwk = jwk;
    this.#server = createServer((_request, response) => {
      this.keySetRequests += 1;
      if (this.failWith === undefined) {
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [this.#jwk] }));
      } else response.writeHead(this.failWith).end();
    });
  }

  static async start(): Promise<FakeTokenIssuer> {
    const { publicKey, privateKey } = keyFixture('rsa-2048-1');
    const issuer = new FakeTokenIssuer(privateKey, { ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig' });
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get jwksUri(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys`;
  }

  sign(claims: Claims, header: { kid?: string; typ?: string } = {}): Promise<string> {
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'JWT', ...header }).sign(this.#key);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
