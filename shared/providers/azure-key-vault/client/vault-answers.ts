// What a vault's answers must look like to be believed. Pure. A vault is a stranger: what does not have the form that Azure
// documents is no answer, whatever its status.
import type { PipelineResponse } from '@azure/core-rest-pipeline';
import * as z from 'zod';
import { parseKeyId, type Deletion, type VaultKey, type VaultTarget } from '../../../domain/provider.ts';
import type { VaultAnswer } from '../answers.ts';

const base64url = z.string().regex(/^[A-Za-z0-9_-]{1,2048}$/);
/** Seconds since 1970, up to the year 9999. */
const instant = z.number().int().min(0).max(253_402_300_799);

const keyBundle = z.object({
  key: z.object({
    kid: z.string().max(512),
    kty: z.string().max(32),
    key_ops: z.array(z.string().max(32)).max(32).default([]),
    n: base64url.optional(),
    e: base64url.optional(),
    crv: z.string().max(32).optional(),
    x: base64url.optional(),
    y: base64url.optional(),
  }),
  attributes: z.object({
    enabled: z.boolean(),
    created: instant.optional(),
    nbf: instant.optional(),
    exp: instant.optional(),
    recoveryLevel: z.string().max(100).optional(),
  }),
});
const deletedKeyBundle = z.object({
  key: z.object({ kid: z.string().max(512) }),
  scheduledPurgeDate: instant.optional(),
});
const operationResult = z.object({ kid: z.string().max(512), value: base64url });

export type KeyBundle = z.infer<typeof keyBundle>;

const MAX_CODE_CHARACTERS = 100;

/** The key in the body of a `get`; undefined if there is none. */
export function readKeyBundle(text: string): KeyBundle | undefined {
  const parsed = keyBundle.safeParse(jsonOf(text));
  return parsed.success ? parsed.data : undefined;
}

/** The body of a `get` among the deleted keys: which version was the newest, and until when the key is kept. */
export function readDeletedKey(text: string): { readonly keyId: string; readonly deletion: Deletion } | undefined {
  const parsed = deletedKeyBundle.safeParse(jsonOf(text));
  if (!parsed.success) return undefined;
  const { key, scheduledPurgeDate: until } = parsed.data;
  return { keyId: key.kid, deletion: until === undefined ? {} : { recoverableUntil: new Date(until * 1000) } };
}

/** The key id in the body of an `unwrapkey` or `sign`; undefined if it is none such. */
export function readOperationKeyId(text: string): string | undefined {
  const parsed = operationResult.safeParse(jsonOf(text));
  return parsed.success ? parsed.data.kid : undefined;
}

/** The key as the domain knows it; undefined for an RSA key without its numbers. */
export function vaultKeyOf({ key, attributes }: KeyBundle, keyId: string): VaultKey | undefined {
  const isRsa = key.kty === 'RSA' || key.kty === 'RSA-HSM';
  if (isRsa && (key.n === undefined || key.e === undefined)) return undefined;
  const { n, e } = isRsa ? key : {};
  return {
    keyId,
    keyType: key.kty,
    n: n ?? '',
    e: e ?? '',
    sizeBits: n === undefined ? 0 : bitLength(Buffer.from(n, 'base64url')),
    keyOps: key.key_ops,
    enabled: attributes.enabled,
    ...(attributes.created === undefined ? {} : { created: new Date(attributes.created * 1000) }),
    ...(attributes.nbf === undefined ? {} : { notBefore: new Date(attributes.nbf * 1000) }),
    ...(attributes.exp === undefined ? {} : { expires: new Date(attributes.exp * 1000) }),
    ...(attributes.recoveryLevel === undefined ? {} : { recoveryLevel: attributes.recoveryLevel }),
  };
}

/**
 * The key id that a reply names, in our spelling, if it is a version of the key asked for (that version, if one was asked);
 * undefined if it is another key. Key Vault's ids are case-insensitive.
 */
export function sameKeyId(
  replied: string,
  asked: { readonly target: Pick<VaultTarget, 'host' | 'keyName'>; readonly version?: string | undefined },
): string | undefined {
  const id = parseKeyId(replied);
  const { host, keyName } = asked.target;
  if (id?.host !== host || id.keyName.toLowerCase() !== keyName.toLowerCase()) return undefined;
  if (asked.version !== undefined && id.version.toLowerCase() !== asked.version.toLowerCase()) return undefined;
  return `https://${host}/keys/${keyName}/${asked.version ?? id.version}`;
}

/** A refusal's status, codes and text, as far as they can be read. */
export function readRefusal(response: Pick<PipelineResponse, 'status' | 'headers' | 'bodyAsText'>): VaultAnswer {
  const error = field(jsonOf(response.bodyAsText ?? ''), 'error');
  return {
    status: response.status,
    ...text('code', field(error, 'code'), MAX_CODE_CHARACTERS),
    ...text('innerCode', field(field(error, 'innererror'), 'code'), MAX_CODE_CHARACTERS),
    ...text('message', field(error, 'message'), Infinity),
    ...text('correlationId', response.headers.get('x-ms-request-id'), MAX_CODE_CHARACTERS),
    ...seconds('retryAfterSeconds', response.headers.get('retry-after')),
  };
}

const seconds = (name: 'retryAfterSeconds', value: string | undefined): Pick<VaultAnswer, 'retryAfterSeconds'> =>
  value !== undefined && /^\d{1,6}$/.test(value) ? { [name]: Number(value) } : {};

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

function text<K extends string>(name: K, value: unknown, maxCharacters: number): Partial<Record<K, string>> {
  if (typeof value !== 'string' || value === '' || value.length > maxCharacters) return {};
  return { [name]: value } as Record<K, string>;
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function bitLength(number: Uint8Array): number {
  const first = number.findIndex((byte) => byte !== 0);
  const top = number[first];
  return top === undefined ? 0 : (number.length - first) * 8 - Math.clz32(top) + 24;
}
