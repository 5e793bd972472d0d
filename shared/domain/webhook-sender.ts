// Sending to a webhook, as operations see it. Types only.
import type { Failure } from './failure.ts';
import type { Result } from './result.ts';

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Taken, or why not. `retryAfterMs`: the receiver asked for so much time. */
export type WebhookAnswer = Result<undefined, { readonly failure: Failure; readonly retryAfterMs?: number }>;

export interface WebhookSender {
  /** Sends once; never throws for what the receiver or its address does. */
  send(message: WebhookRequest): Promise<WebhookAnswer>;
}
