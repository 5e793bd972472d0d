// Where webhooks are in the API: of a company, and of all companies at once. The same calls at two places.
import type * as z from 'zod';
import type { WebhookPlace } from '../../../../shared/domain/webhook.ts';
import type { EventSending } from '../../../../shared/operations/notifications/send-event.ts';
import type { WebhookChanging } from '../../../../shared/operations/notifications/webhooks.ts';
import type { Recording } from '../../../../shared/store/record-event.ts';
import type { Role } from '../../kernel/roles.ts';

export type WebhookServices = WebhookChanging & EventSending & Recording;

/** `P`: what names the company in the path, if anything does. */
export interface Scope<P extends z.ZodType, Q extends z.ZodType> {
  /** Before and behind the verb in names of operations. */
  readonly name: (verb: string, what: string) => string;
  readonly path: string;
  readonly whose: string;
  readonly collection: P;
  readonly one: Q;
  readonly companyOf: (path: z.output<P>) => string;
  readonly placeOf: (path: z.output<Q>) => WebhookPlace;
  readonly reads: readonly Role[];
  readonly changes: readonly Role[];
}
