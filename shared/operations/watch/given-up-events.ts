// Webhooks with events that were given up, for operators: from the agenda, where each is put as an event is given up. No company and no webhook is scanned.
import pLimit from 'p-limit';
import type { FailureCode } from '../../domain/failure.ts';
import { present } from '../../domain/plain-object.ts';
import type { WebhookPlace } from '../../domain/webhook.ts';
import { firstOnAgenda } from '../../store/agenda.ts';
import { listPage } from '../../store/found.ts';
import { MalformedRow } from '../../store/rows/cells.ts';
import { deadLettersOf } from '../../store/rows/webhook-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { Bounded } from './bounded.ts';

export interface GivenUpEvents extends WebhookPlace {
  /** Absent where they cannot be read. */
  readonly events?: number;
  /** False: there are more. */
  readonly isWhole: boolean;
  /** Of the event that was given up last, and why. */
  readonly lastAt?: string;
  readonly code?: FailureCode;
}

const MAX_WEBHOOKS = 200;
const MAX_EVENTS = 100;
const READS_IN_FLIGHT = 16;

/** Throws StoreUnavailable. */
export async function givenUpEvents(tables: Tables): Promise<Bounded<GivenUpEvents>> {
  const { items, isWhole } = await firstOnAgenda(tables, 'given-up', MAX_WEBHOOKS);
  const looked = await pLimit(READS_IN_FLIGHT).map([...items], ({ companyId, id }) =>
    eventsOf(tables, { companyId, webhookId: id }),
  );
  return { value: looked.filter(({ events }) => events !== 0), isWhole };
}

async function eventsOf(tables: Tables, place: WebhookPlace): Promise<GivenUpEvents> {
  try {
    const { rows, last } = await listPage(tables, deadLettersOf, place, { limit: MAX_EVENTS });
    const [latest] = rows.map(({ value }) => value).toSorted((a, b) => (a.deadAt < b.deadAt ? 1 : -1));
    const isWhole = last === undefined;
    return { ...place, events: rows.length, isWhole, ...present({ lastAt: latest?.deadAt, code: latest?.code }) };
  } catch (error) {
    if (error instanceof MalformedRow) return { ...place, isWhole: false };
    throw error;
  }
}
