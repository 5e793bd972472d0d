// Sends one event to one webhook, once.
import type { AuditRecord } from '../../domain/audit.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Clock } from '../../domain/ports.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Webhook, WebhookPlace } from '../../domain/webhook.ts';
import { bodyOf, messageOf } from '../../domain/webhook-message.ts';
import type { WebhookSender } from '../../domain/webhook-sender.ts';
import type { ReceiverRests } from './receiver-rests.ts';
import type { SigningKeys } from './signing-keys.ts';

export interface EventSending {
  readonly webhookSender: WebhookSender;
  readonly signingKeys: SigningKeys;
  readonly receiverRests: ReceiverRests;
  readonly clock: Clock;
  /** `https://host/api/v1`, for what the message names and links to. */
  readonly apiUrl: string;
}

/** `own`: the vendor's vault does not open the signing key; the receiver was not asked. */
export interface NotSent {
  readonly failure: Failure;
  readonly own: boolean;
  readonly retryAfterMs?: number;
}

/** A webhook whose seal was checked just now. */
interface Addressee {
  readonly place: WebhookPlace;
  readonly webhook: Webhook;
}

export const sendEvent = (
  deps: EventSending,
  to: Addressee,
  record: AuditRecord,
): Promise<Result<undefined, NotSent>> => sendBody(deps, to, { id: record.id, body: bodyOf(record, deps.apiUrl) });

export async function sendBody(
  { webhookSender, signingKeys, receiverRests, clock }: EventSending,
  { place, webhook }: Addressee,
  { id, body }: { readonly id: string; readonly body: string },
): Promise<Result<undefined, NotSent>> {
  const keys = await signingKeys.of(place, webhook);
  if (!keys.ok) return err({ failure: keys.error, own: true });
  const now = clock.now();
  const sent = await webhookSender.send(messageOf({ url: webhook.url, id, body, now, keys: keys.value }));
  receiverRests.note(webhook.url, sent.ok ? undefined : sent.error.failure);
  return sent.ok ? ok(undefined) : err({ ...sent.error, own: false });
}
