// What a webhook is sent of an event: a CloudEvent 1.0 in JSON that names things and tells nothing of them, signed as Standard Webhooks are. Pure.
import { createHmac, createPrivateKey, createPublicKey, createSecretKey, sign, type KeyObject } from 'node:crypto';
import type { AuditRecord } from './audit.ts';
import { NO_COMPANY } from './ids.ts';
import { isRecord, present } from './plain-object.ts';
import type { SignatureKind } from './webhook.ts';
import type { WebhookRequest } from './webhook-sender.ts';

export interface SigningKey {
  readonly kind: SignatureKind;
  readonly key: KeyObject;
}

export const SIGNING_SECRET_BYTES = 32;
/** What stands before an Ed25519 seed in PKCS #8 (RFC 8410, 7). */
const PKCS8_OF_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const RAW_PUBLIC_BYTES = 32;
/** Of failures and states: words of ours, never of a customer. */
const CODE = /^[a-z][a-z0-9-]{0,63}$/;

/** The same bytes at each attempt: the event is what it was. */
export function bodyOf(record: AuditRecord, apiUrl: string): string {
  const { companyId, sequence, id, at, action, outcome } = record;
  const path = companyId === NO_COMPANY ? '' : `/companies/${companyId}`;
  return JSON.stringify({
    specversion: '1.0',
    id,
    source: `${apiUrl}${path}`,
    type: action,
    time: at,
    datacontenttype: 'application/json',
    data: {
      ...(companyId === NO_COMPANY ? {} : { companyId }),
      sequence,
      outcome,
      ...wordsIn(record.detail),
      link: `${apiUrl}${path}/events/${sequence}`,
    },
  });
}

/** Of no event: for a test. */
export function testBodyOf(
  about: { readonly id: string; readonly at: string; readonly webhookId: string; readonly companyId?: string },
  apiUrl: string,
): string {
  const { id, at, webhookId, companyId } = about;
  const source = companyId === undefined ? apiUrl : `${apiUrl}/companies/${companyId}`;
  return JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type: 'webhook.test',
    time: at,
    datacontenttype: 'application/json',
    data: { ...present({ companyId }), link: `${source}/webhooks/${webhookId}` },
  });
}

/** Of the event's detail, the code and the state: nothing else may leave by this way. */
function wordsIn(detail: string): { readonly code?: string; readonly state?: string } {
  let read: unknown;
  try {
    read = JSON.parse(detail);
  } catch {
    return {};
  }
  const word = (value: unknown): string | undefined =>
    typeof value === 'string' && CODE.test(value) ? value : undefined;
  return isRecord(read) ? present({ code: word(read['code']), state: word(read['state']) }) : {};
}

/** `id` and the time hold no dot, so no other message has the same signed text. */
export function messageOf(input: {
  readonly url: string;
  readonly id: string;
  readonly body: string;
  readonly now: Date;
  readonly keys: readonly SigningKey[];
}): WebhookRequest {
  const { url, id, body, now, keys } = input;
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const signed = Buffer.from(`${id}.${timestamp}.${body}`, 'utf8');
  return {
    url,
    body,
    headers: {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'Keyswitch',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': keys.map((key) => signatureOf(key, signed)).join(' '),
    },
  };
}

const signatureOf = ({ kind, key }: SigningKey, signed: Buffer): string =>
  kind === 'v1'
    ? `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
    : `v1a,${sign(null, signed, key).toString('base64')}`;

/** The key of a secret of SIGNING_SECRET_BYTES. */
export function signingKeyOf(kind: SignatureKind, secret: Uint8Array): SigningKey {
  if (kind === 'v1') return { kind, key: createSecretKey(secret) };
  const der = Buffer.concat([PKCS8_OF_ED25519, secret]);
  try {
    return { kind, key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
  } finally {
    der.fill(0);
  }
}

/** What the receiver verifies with: the secret itself, or of Ed25519 the public key, which is no secret. */
export function verifierOf({ kind, key }: SigningKey, secret: Uint8Array): string {
  if (kind === 'v1') return `whsec_${Buffer.from(secret).toString('base64')}`;
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return `whpk_${spki.subarray(-RAW_PUBLIC_BYTES).toString('base64')}`;
}
