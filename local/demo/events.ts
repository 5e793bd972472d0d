// The record of what was done to a company, as an auditor reads it.
import type { EventAnswer, EventsAnswer } from './answers.ts';
import type { Demo } from './demo.ts';

const PAGE_EVENTS = 1_000;

export async function eventsOf({ api, environment }: Demo, companyId: string): Promise<readonly EventAnswer[]> {
  const events: EventAnswer[] = [];
  let query = `?maxpagesize=${PAGE_EVENTS}`;
  while (query !== '') {
    const path = `/companies/${companyId}/events${query}`;
    const page = await api.must({ token: environment.tokens.auditor, method: 'GET', path });
    const { value, nextLink } = page as EventsAnswer;
    events.push(...value);
    query = nextLink === undefined ? '' : new URL(nextLink).search;
  }
  return events;
}
