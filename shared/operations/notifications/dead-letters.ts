// How deliveries stand, and events that were given up. The record still has each of them; redeliver.ts sends them again.
import { present } from '../../domain/plain-object.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { DeadLetter, DeliveryCursor, WebhookPlace } from '../../domain/webhook.ts';
import { listPage } from '../../store/found.ts';
import { cursorsOf, deadLettersOf } from '../../store/rows/webhook-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { SealCheck } from '../keys/seals.ts';
import { getWebhook } from './webhooks.ts';

interface Page {
  readonly limit: number;
  /** Of the last one of the page before. */
  readonly continuation?: string;
}

type WebhookListing = SealCheck & { readonly tables: Tables };

export interface ListedCursor extends DeliveryCursor {
  readonly companyId: string;
}

/** For each company that the webhook was told of. */
export async function listDeliveries(
  deps: WebhookListing,
  { limit, continuation, ...place }: WebhookPlace & Page,
): Promise<Result<{ readonly cursors: readonly ListedCursor[]; readonly continuation?: string }, Refusal>> {
  const known = await getWebhook(deps, place);
  if (!known.ok) return known;
  const after = continuation === undefined ? undefined : { webhook: place, companyId: continuation };
  const page = await listPage(deps.tables, cursorsOf, place, { limit, ...present({ after }) });
  const cursors = page.rows.map(({ value, place: { companyId } }) => ({ ...value, companyId }));
  return ok({ cursors, ...present({ continuation: page.last?.companyId }) });
}

export interface ListedLetter extends DeadLetter {
  readonly companyId: string;
  readonly sequence: number;
}

/** By company, and of each in the order of its events. */
export async function listDeadLetters(
  deps: WebhookListing,
  { limit, continuation, ...place }: WebhookPlace & Page,
): Promise<Result<{ readonly letters: readonly ListedLetter[]; readonly continuation?: string }, Refusal>> {
  const known = await getWebhook(deps, place);
  if (!known.ok) return known;
  const after = continuation === undefined ? undefined : deadLettersOf.place(place, continuation);
  if (after && !Number.isSafeInteger(after.sequence))
    return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this list.' });
  const page = await listPage(deps.tables, deadLettersOf, place, { limit, ...present({ after }) });
  const letters = page.rows.map(({ value, place: { companyId, sequence } }) => ({ ...value, companyId, sequence }));
  return ok({ letters, ...present({ continuation: page.last && `${page.last.companyId}|${page.last.sequence}` }) });
}
