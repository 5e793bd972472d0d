// How deliveries stand, and events that were given up: shown, and sent again at a person's word. The record still has each of them.
import type { Actor } from '../../domain/audit.ts';
import { present } from '../../domain/plain-object.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { DeadLetter, DeliveryCursor, WebhookPlace } from '../../domain/webhook.ts';
import { changeOnce } from '../../store/act.ts';
import { renewOnAgenda, takeOffAgenda, type AgendaItem } from '../../store/agenda.ts';
import { find, listPage, walk } from '../../store/found.ts';
import { recordEvent, type Recording } from '../../store/record-event.ts';
import { recordRow } from '../../store/rows/audit-rows.ts';
import { cursorsOf, deadLettersOf, type DeadLetterPlace } from '../../store/rows/webhook-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { SealCheck } from '../keys/seals.ts';
import { redeliveryItem } from './items.ts';
import { sendEvent, type EventSending } from './send-event.ts';
import { loadWebhook } from './verified-webhook.ts';
import { actOnWebhook, getWebhook } from './webhooks.ts';

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

/** Has everything that was given up sent again, by the timer's next turn. */
export async function requestRedelivery(
  deps: SealCheck & Recording,
  place: WebhookPlace,
  actor: Actor,
): Promise<Result<undefined, Refusal>> {
  const known = await getWebhook(deps, place);
  if (!known.ok) return known;
  await renewOnAgenda(deps.tables, redeliveryItem(place));
  await recordEvent(deps, actor, { ...actOnWebhook('webhook.redeliver', place), outcome: 'done' });
  return ok(undefined);
}

/** Sends until one is not taken; that one and the rest stay given up until the next word. Answers how many were taken. */
export async function redeliver(
  deps: EventSending & WebhookListing,
  place: WebhookPlace,
  item: AgendaItem,
): Promise<number> {
  const webhook = await loadWebhook(deps, place);
  if (!webhook.ok && webhook.error.code !== 'row-forged') return 0;
  let sent = 0;
  if (webhook.ok && webhook.value?.value.state === 'on') {
    const to = { place, webhook: webhook.value };
    const endsAtMs = deps.clock.now().getTime() + TURN_MS;
    for await (const letters of walk(deps.tables, deadLettersOf, place, { limit: PAGE_ROWS })) {
      for (const letter of letters) {
        if (deps.clock.now().getTime() >= endsAtMs) return sent;
        const record = await recordOf(deps.tables, letter.place);
        const taken = record ? await sendEvent(deps, to, record) : ok(undefined);
        if (!taken.ok) return endOfTurn(deps, item, sent);
        await changeOnce(deps, (tx) => {
          tx.delete(letter);
        });
        sent += 1;
      }
    }
  }
  return endOfTurn(deps, item, sent);
}

const PAGE_ROWS = 100;
const TURN_MS = 15_000;

async function endOfTurn({ tables }: { readonly tables: Tables }, item: AgendaItem, sent: number): Promise<number> {
  await takeOffAgenda(tables, item);
  return sent;
}

const recordOf = async (tables: Tables, { companyId, sequence }: DeadLetterPlace) =>
  (await find(tables, recordRow, { companyId, sequence }))?.value;
