// Scene 10: the record of what was done to the company that switched: whole, and saying who did what.
import type { ChainAnswer, EventAnswer } from '../answers.ts';
import { CONNECTION_ID } from '../company.ts';
import { EUROPE, RESEARCH, WORKSPACE, type DataTenant } from '../data-tenants.ts';
import type { Demo } from '../demo.ts';
import { eventsOf } from '../events.ts';
import { count, number } from '../words.ts';

const EVENTS = '/companies/contoso/events';

interface StoryEvent {
  readonly action: string;
  readonly target: string;
  /** What its detail must say, and is shown of it. */
  readonly detail: Readonly<Record<string, string>>;
}

const connection = (action: string, detail: StoryEvent['detail'] = {}): StoryEvent => ({
  action,
  target: `connection|${CONNECTION_ID}`,
  detail,
});
const ofTenant = ({ kind, tenantId }: DataTenant, action: string, detail: StoryEvent['detail'] = {}): StoryEvent => ({
  action,
  target: `tenant|${kind}|${tenantId}`,
  detail,
});
const ofSwitch = (action: string): StoryEvent => ({ action, target: 'switch|default|to-own-key', detail: {} });

/** In the order in which it came about. */
const STORY: readonly StoryEvent[] = [
  connection('consent.request'),
  connection('sign-in.refused', { code: 'consent-declined' }),
  connection('consent.grant'),
  ofSwitch('switch.start'),
  ofTenant(WORKSPACE, 'sign-in.refused', { code: 'google-not-super-admin' }),
  ofTenant(EUROPE, 'tenant.verify', { adminName: 'grace@contoso-europe.onmicrosoft.com' }),
  ofTenant(WORKSPACE, 'tenant.verify', { adminName: 'sofia@contoso.example' }),
  ofTenant(RESEARCH, 'tenant.register'),
  ofTenant(RESEARCH, 'tenant.verify', { adminName: 'peter@contoso-research.onmicrosoft.com' }),
  ofSwitch('switch.completed'),
  { action: 'company-key.export', target: 'keyring|default', detail: { by: 'allowance' } },
];

export async function record(demo: Demo): Promise<void> {
  const { screen, environment } = demo;
  screen.section('10  The record of it all');
  const token = environment.tokens.auditor;
  const { status, problems, head } = (await demo.api.must({
    token,
    method: 'GET',
    path: `${EVENTS}/verify`,
  })) as ChainAnswer;
  demo.check(
    status === 'intact' && head.sequence > STORY.length,
    `An auditor has Contoso’s chain of ${count(head.sequence, 'event')} checked: it is whole. Its head: ${head.hash}.`,
    `Contoso’s chain of events is ${status}: ${problems.map(({ code, sequence }) => `${code} at ${sequence}`).join(', ')}`,
  );
  const told = storyIn(await eventsOf(demo, 'contoso'));
  const rows = told.map(({ sequence, at, by, action, target, detail }) => [
    number(sequence),
    at.slice(11, 19),
    action,
    by === '' ? '-' : shortIds(by),
    shortIds(`${target} ${String(detail['adminName'] ?? detail['code'] ?? '')}`.trimEnd()),
  ]);
  screen.table(rows, [true]);
  const missing = STORY[told.length];
  demo.check(
    missing === undefined,
    'It says who consented, who approved, who was turned away, when the switch was done, and that the key was copied.',
    `Contoso’s chain does not tell of ${missing?.action ?? ''} of ${missing?.target ?? ''}`,
  );
}

/** The events of the story as they follow each other; it ends where one is missing. */
function storyIn(events: readonly EventAnswer[]): readonly EventAnswer[] {
  const told: EventAnswer[] = [];
  for (const event of events) {
    const wanted = STORY[told.length];
    if (wanted?.action !== event.action || wanted.target !== event.target) continue;
    if (Object.entries(wanted.detail).every(([name, value]) => event.detail[name] === value)) told.push(event);
  }
  return told;
}

/** Ids as a table can hold them: the first four and the last four digits. */
const shortIds = (text: string): string =>
  text.replaceAll(/([0-9a-f]{4})[0-9a-f]{4}(?:-[0-9a-f]{4}){3}-[0-9a-f]{8}([0-9a-f]{4})/g, '$1…$2');
