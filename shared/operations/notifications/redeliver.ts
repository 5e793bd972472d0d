// Sends again, on request, events that were given up. A dead letter only names an event, and a writer of the tables can forge one: the webhook, whose seal is
// checked, and the record decide whose event it is and whether this webhook is told of it.
import { hashOfRecord, type Actor, type AuditRecord } from '../../domain/audit.ts';
import { NO_COMPANY } from '../../domain/ids.ts';
import type { Sealer } from '../../domain/ports.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ok, type Result } from '../../domain/result.ts';
import { wants, type DeadLetter, type WebhookPlace } from '../../domain/webhook.ts';
import { changeOnce } from '../../store/act.ts';
import { givenUpItemOf, renewOnAgenda, takeOffAgenda, type AgendaItem } from '../../store/agenda.ts';
import { loadHead, type Auditing } from '../../store/append.ts';
import { find, listPage, walk, type Listed } from '../../store/found.ts';
import { recordEvent, type Recording } from '../../store/record-event.ts';
import { recordRow } from '../../store/rows/audit-rows.ts';
import { deadLettersOf, type DeadLetterPlace } from '../../store/rows/webhook-rows.ts';
import type { SealCheck } from '../keys/seals.ts';
import { redeliveryItem } from './items.ts';
import { sendEvent, type EventSending } from './send-event.ts';
import { switchOff } from './switch-off.ts';
import { webhookNow } from './verified-webhook.ts';
import { actOnWebhook, getWebhook } from './webhooks.ts';

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

type Redelivering = EventSending & Auditing & { readonly sealer: Sealer };
type Letter = Listed<DeadLetterPlace, DeadLetter>;

/** Sends until one is not taken; that one and the rest stay given up until the next word. Answers how many were taken. */
export async function redeliver(deps: Redelivering, place: WebhookPlace, item: AgendaItem): Promise<number> {
  const endsAtMs = deps.clock.now().getTime() + TURN_MS;
  let sent = 0;
  for await (const letters of walk(deps.tables, deadLettersOf, place, { limit: PAGE_ROWS })) {
    for (const letter of letters) {
      if (deps.clock.now().getTime() >= endsAtMs) return sent;
      const came = await sendLetter(deps, place, letter);
      if (came === 'waits') return sent;
      if (came === 'not-taken') return endOfTurn(deps, { place, item, sent });
      if (came === 'not-its-own') continue;
      await changeOnce(deps, (tx) => {
        tx.delete(letter);
      });
      if (came === 'taken') sent += 1;
    }
  }
  return endOfTurn(deps, { place, item, sent });
}

const PAGE_ROWS = 100;
const TURN_MS = 15_000;

async function endOfTurn(
  { tables }: Redelivering,
  { place, item, sent }: { readonly place: WebhookPlace; readonly item: AgendaItem; readonly sent: number },
): Promise<number> {
  await takeOffAgenda(tables, item);
  const isEmpty = async (): Promise<boolean> =>
    (await listPage(tables, deadLettersOf, place, { limit: 1 })).rows.length === 0;
  await takeOffAgenda(tables, givenUpItemOf(place), isEmpty);
  return sent;
}

/** `waits`: the vendor's own vault does not answer. `not-asked-for`: the webhook gets no events of this type any more. */
type Came = 'taken' | 'not-taken' | 'not-asked-for' | 'not-its-own' | 'waits';

async function sendLetter(deps: Redelivering, place: WebhookPlace, letter: Letter): Promise<Came> {
  const webhook = await webhookNow(deps, place);
  if (typeof webhook === 'string') return webhook === 'off' ? 'not-taken' : 'waits';
  const record = await recordOf(deps, place, letter);
  if (!record) {
    const { companyId, sequence } = letter.place;
    const detail = { companyId, webhook: place.webhookId, sequence };
    deps.log.write({ level: 'error', event: 'security.events-not-led', detail });
    return 'not-its-own';
  }
  if (!wants(webhook, record)) return 'not-asked-for';
  const sent = await sendEvent(deps, { place, webhook }, record);
  if (sent.ok) return 'taken';
  if (sent.error.own) return 'waits';
  if (sent.error.failure.code === 'webhook-gone') await switchOff(deps, place, webhook);
  return 'not-taken';
}

/** The event that the letter names, of a company whose events the webhook gets, and as the next record or the head is chained to it. */
async function recordOf(
  { tables }: Redelivering,
  webhook: WebhookPlace,
  { place: { companyId, sequence }, value: letter }: Letter,
): Promise<AuditRecord | undefined> {
  if (webhook.companyId !== NO_COMPANY && webhook.companyId !== companyId) return undefined;
  const record = (await find(tables, recordRow, { companyId, sequence }))?.value;
  if (record?.sequence !== sequence || record.hash !== hashOfRecord(record)) return undefined;
  if (record.id !== letter.eventId || record.action !== letter.action) return undefined;
  const next = await find(tables, recordRow, { companyId, sequence: sequence + 1 });
  const chainedTo = next ? next.value?.previous : (await loadHead(tables, companyId)).value.hash;
  return chainedTo === record.hash ? record : undefined;
}
