// The least that any function app must do to unwrap data keys for a caller: check the token, read each row through @azure/data-tables (or have it
// in memory), open it, answer. One function behind the same library and host as the product; no routes, no validation, no cache but of the token,
// no log.
import { createDecipheriv, createSecretKey } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { app } from '@azure/functions';
import { ManagedIdentityCredential } from '@azure/identity';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import pLimit from 'p-limit';
import { lengthPrefixed } from '../shared/domain/length-prefixed.ts';
import { shardOf } from '../shared/domain/shard.ts';

export interface FloorOptions {
  readonly endpoint: string;
  readonly identityClientId: string;
  readonly jwks: JSONWebKeySet;
  readonly companyId: string;
  readonly keyringId: string;
  readonly shardCount: number;
  /** Hex. */
  readonly companyKey: string;
  readonly rows: 'tables' | 'memory';
}

const READS_IN_FLIGHT = 64;
const NONCE_END = 13;
const TAG_BYTES = 16;

const options = JSON.parse(process.env['KEYSWITCH_BENCH_FLOOR'] ?? '') as FloorOptions;
const { companyId, keyringId, shardCount } = options;
const credential = new ManagedIdentityCredential({ clientId: options.identityClientId });
const table = new TableClient(options.endpoint, 'datakeys', credential);
const companyKey = createSecretKey(Buffer.from(options.companyKey, 'hex'));
const keys = createLocalJWKSet(options.jwks);
const rows = new Map<string, Uint8Array>();
const limit = pLimit(READS_IN_FLIGHT);

/** As the product does: one that was good is good for a minute. */
const goodUntilMs = new Map<string, number>();
const GOOD_FOR_MS = 60_000;

async function check(token: string): Promise<void> {
  if ((goodUntilMs.get(token) ?? 0) > Date.now()) return;
  await jwtVerify(token, keys);
  goodUntilMs.set(token, Date.now() + GOOD_FOR_MS);
}

async function blobOf(keyId: string): Promise<Uint8Array> {
  const kept = rows.get(keyId);
  if (kept) return kept;
  const partition = `${companyId}|${keyringId}|${shardOf(keyId, shardCount)}`;
  const { blob } = await table.getEntity<{ blob: Uint8Array }>(partition, keyId);
  if (options.rows === 'memory') rows.set(keyId, blob);
  return blob;
}

function open(keyId: string, blob: Uint8Array): string {
  const decipher = createDecipheriv('aes-256-gcm', companyKey, blob.subarray(1, NONCE_END));
  decipher.setAAD(lengthPrefixed(['keyswitch.data-key.1', companyId, keyringId, keyId, '1']));
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  const plaintext = decipher.update(blob.subarray(NONCE_END, blob.length - TAG_BYTES));
  decipher.final();
  return plaintext.toString('base64url');
}

app.setup({ enableHttpStream: true });
app.http('unwrap', {
  methods: ['POST'],
  authLevel: 'anonymous',
  route: 'unwrap',
  handler: async (request) => {
    await check(request.headers.get('authorization')?.slice('Bearer '.length) ?? '');
    const { keyIds } = (await request.json()) as { keyIds: string[] };
    const unwrapped = await limit.map(keyIds, async (keyId) => {
      const plaintext = open(keyId, await blobOf(keyId));
      return { outcome: 'unwrapped', keyId, companyKeyVersion: 1, plaintext };
    });
    const body = Buffer.from(JSON.stringify({ keys: unwrapped }));
    return { body, headers: { 'content-type': 'application/json', 'content-length': String(body.length) } };
  },
});
