// A webhook: an address that is told of events, which ones, and the keys that sign what is sent. Pure.
import type { AuditRecord } from './audit.ts';
import type { Seal } from './company-key.ts';
import type { FailureCode } from './failure.ts';
import type { SealedSecret, SecretPlace } from './sealed-secret.ts';

export interface WebhookPlace {
  /** Whose events it gets; NO_COMPANY for those of every company, and of none. */
  readonly companyId: string;
  readonly webhookId: string;
}

/** Standard Webhooks: `v1` is HMAC-SHA-256 by a shared secret, `v1a` Ed25519, whose receiver holds nothing secret. */
export const SIGNATURE_KINDS = ['v1', 'v1a'] as const;
export type SignatureKind = (typeof SIGNATURE_KINDS)[number];

export interface WebhookKey {
  readonly id: string;
  readonly kind: SignatureKind;
  /** Of `v1a`, as its receiver takes it. */
  readonly publicKey?: string;
  readonly secret: SealedSecret;
  readonly createdAt: string;
  /** After a rotation: until then it still signs beside the new one. */
  readonly expiresAt?: string;
}

export const placeOfWebhookKey = (
  { companyId, webhookId }: WebhookPlace,
  { id, kind }: Pick<WebhookKey, 'id' | 'kind'>,
): SecretPlace => ['keyswitch.webhook-key.1', companyId, webhookId, id, kind];

/** `off`: its receiver answered 410, and no event is sent until it is put again. */
export const WEBHOOK_STATES = ['on', 'off'] as const;

export interface Webhook {
  readonly webhookId: string;
  readonly url: string;
  /** Actions, or their first parts with `.*`; empty for all but what is merely counted. */
  readonly types: readonly string[];
  readonly state: (typeof WEBHOOK_STATES)[number];
  /** The newest first. */
  readonly keys: readonly WebhookKey[];
  /** It gets what began then or later. */
  readonly createdAt: string;
  readonly seal: Seal;
}

export const MAX_WEBHOOKS = 10;
export const MAX_WEBHOOK_TYPES = 50;
/** An action, the first part of actions, or all. */
export const WEBHOOK_TYPE = /^(?:\*|[a-z][a-z-]{0,63}\.(?:\*|[a-z][a-z-]{0,63}))$/;

/** Whether the webhook is to be told of this event. */
export function wants(
  { types, createdAt }: Pick<Webhook, 'types' | 'createdAt'>,
  event: Pick<AuditRecord, 'action' | 'outcome' | 'at'>,
): boolean {
  if (event.at < createdAt) return false;
  if (types.length === 0) return event.outcome !== 'counted';
  return types.some(
    (type) => type === '*' || type === event.action || type === `${event.action.split('.')[0] ?? ''}.*`,
  );
}

/** The keys that sign now. */
export const keysAt = ({ keys }: Pick<Webhook, 'keys'>, now: Date): readonly WebhookKey[] =>
  keys.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now.toISOString());

/** How far a webhook was told of the events of one company, and what came of the last attempt. */
export interface DeliveryCursor {
  /** Of the last event that is not to be sent any more, and its hash; 0 and empty before the first. */
  readonly sequence: number;
  readonly hash: string;
  readonly deliveredAt?: string;
  /** At the next event, failed. */
  readonly attempts: number;
  /** Since when no event was taken. */
  readonly failingSince?: string;
  readonly nextAt?: string;
  /** Of the last failure. */
  readonly code?: FailureCode;
  /** Until then one instance is sending. It saves calls to the receiver; what decides is the ETag of the row. */
  readonly leaseUntil?: string;
}

/** An event that was given up. It stays in the record. */
export interface DeadLetter {
  readonly eventId: string;
  readonly action: string;
  readonly at: string;
  readonly deadAt: string;
  readonly code: FailureCode;
}
