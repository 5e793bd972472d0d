// Receivers of webhooks, in memory: each call is kept as it was sent, and what is answered is planned by host.
import { failure } from '../../shared/failures.ts';
import type { FailureCode } from '../../shared/domain/failure.ts';
import { err, ok } from '../../shared/domain/result.ts';
import type { WebhookAnswer, WebhookRequest, WebhookSender } from '../../shared/domain/webhook-sender.ts';

export interface SentEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class FakeReceivers implements WebhookSender {
  /** Each attempt, taken or not. */
  readonly attempts: WebhookRequest[] = [];
  readonly taken: WebhookRequest[] = [];
  /** Runs before a call is answered and may wait. */
  onSend: ((message: WebhookRequest) => void | Promise<void>) | undefined;
  readonly #failing = new Map<string, { readonly code: FailureCode; readonly retryAfterMs?: number }>();

  async send(message: WebhookRequest): Promise<WebhookAnswer> {
    this.attempts.push(message);
    await this.onSend?.(message);
    const failing = this.#failing.get(new URL(message.url).host);
    if (!failing) {
      this.taken.push(message);
      return ok(undefined);
    }
    const { code, ...rest } = failing;
    return err({ failure: failure(code), ...rest });
  }

  fail(host: string, code: FailureCode = 'webhook-refused', retryAfterMs?: number): void {
    this.#failing.set(host, { code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  heal(host: string): void {
    this.#failing.delete(host);
  }

  /** What was taken at a host, in the order of its arrival. */
  at(host: string): SentEvent[] {
    return this.taken.filter(({ url }) => new URL(url).host === host).map(({ body }) => JSON.parse(body) as SentEvent);
  }
}
