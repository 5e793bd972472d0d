// What of notifications stands on the agenda. Pure.
import type { WebhookPlace } from '../../domain/webhook.ts';
import type { AgendaItem } from '../../store/agenda.ts';

const REDELIVERY = 'redeliver|';

/** A chain whose events have not reached every webhook. */
export const chainItem = (companyId: string): AgendaItem => ({ kind: 'notify', companyId, id: 'chain' });

/** Events that were given up are to be sent again. */
export const redeliveryItem = ({ companyId, webhookId }: WebhookPlace): AgendaItem => ({
  kind: 'notify',
  companyId,
  id: `${REDELIVERY}${webhookId}`,
});

/** Undefined for a chain. */
export const redeliveryOf = ({ companyId, id }: AgendaItem): WebhookPlace | undefined =>
  id.startsWith(REDELIVERY) ? { companyId, webhookId: id.slice(REDELIVERY.length) } : undefined;
