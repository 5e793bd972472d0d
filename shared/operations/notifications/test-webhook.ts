// Sends a webhook a message that tells of nothing, at once: whether its receiver is reached, and takes what is signed so.
import type { Failure } from '../../domain/failure.ts';
import { NO_COMPANY } from '../../domain/ids.ts';
import type { Entropy } from '../../domain/ports.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { WebhookPlace } from '../../domain/webhook.ts';
import { testBodyOf } from '../../domain/webhook-message.ts';
import { sendBody, type EventSending } from './send-event.ts';
import type { WebhookReading } from './verified-webhook.ts';
import { getWebhook } from './webhooks.ts';

export interface WebhookTest {
  readonly testedAt: string;
  /** Absent if it was taken. */
  readonly failure?: Failure;
}

/** A receiver that refuses is a result; the vendor's own vault that does not answer is a refusal. */
export async function testWebhook(
  deps: EventSending & WebhookReading & { readonly entropy: Entropy },
  place: WebhookPlace,
): Promise<Result<WebhookTest, Refusal>> {
  const webhook = await getWebhook(deps, place);
  if (!webhook.ok) return webhook;
  const id = deps.entropy.id();
  const testedAt = deps.clock.now().toISOString();
  const ofCompany = place.companyId === NO_COMPANY ? {} : { companyId: place.companyId };
  const body = testBodyOf({ id, at: testedAt, webhookId: place.webhookId, ...ofCompany }, deps.apiUrl);
  const sent = await sendBody(deps, { place, webhook: webhook.value.value }, { id, body });
  if (sent.ok) return ok({ testedAt });
  return sent.error.own ? err(refusedBy(sent.error.failure)) : ok({ testedAt, failure: sent.error.failure });
}
