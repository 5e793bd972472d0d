// The timer's turn: every chain that has moved since its head was last signed, and every one that was left behind then. Before a head is signed and its
// chain leaves the agenda, the chain is put among those left behind (audit/sign-heads.ts), so none is forgotten whatever a webhook does meanwhile.
import { NO_COMPANY } from '../../domain/ids.ts';
import type { Sealer } from '../../domain/ports.ts';
import type { WebhookPlace } from '../../domain/webhook.ts';
import { lookAlone, walkAgenda } from '../../store/agenda-walk.ts';
import { takeOffAgenda, type AgendaItem } from '../../store/agenda.ts';
import { loadHead, type Auditing } from '../../store/append.ts';
import { deliverChain, type ChainDelivering, type Delivered } from './deliver-chain.ts';
import { chainItem, redeliveryOf } from './items.ts';
import { redeliver } from './redeliver.ts';
import { switchOff } from './switch-off.ts';
import type { Unwatched } from './unwatched.ts';
import { webhooksToTell } from './verified-webhook.ts';

export interface Notifying extends ChainDelivering, Auditing {
  readonly sealer: Sealer;
  readonly unwatched: Unwatched;
}

/** Each waits for receivers most of the time. */
const LANES = 16;
const SLICE_MS = 25_000;

/** Answers how many events were taken. */
export async function sweepNotifications(deps: Notifying): Promise<number> {
  const ofAll = await webhooksToTell(deps, NO_COMPANY);
  const looked = new Set<string>();
  const left = await walkAgenda(deps, { kind: 'notify', lanes: LANES, budgetMs: SLICE_MS }, async (item) => {
    const redelivered = redeliveryOf(item);
    if (redelivered) return redeliver(deps, redelivered, item);
    looked.add(item.companyId);
    return lookAtLeft(deps, item, ofAll);
  });
  const slice = { kind: 'head', walker: 'notify-head', lanes: LANES, budgetMs: SLICE_MS } as const;
  const moved = await walkAgenda(deps, slice, async ({ companyId }) => {
    if (looked.has(companyId)) return 0;
    return (await tellAll(deps, companyId, await watchersOf(deps, companyId, ofAll))).sent;
  });
  return left.sum + moved.sum;
}

async function lookAtLeft(deps: Notifying, item: AgendaItem, ofAll: readonly WebhookPlace[]): Promise<number> {
  const { companyId } = item;
  const own = companyId === NO_COMPANY ? [] : await webhooksToTell(deps, companyId);
  const told = await tellAll(deps, companyId, [...ofAll, ...own]);
  // A webhook that came meanwhile has renewed the item; a chain that moves on is among those that have moved.
  if (told.upTo !== undefined) {
    const { upTo } = told;
    await takeOffAgenda(deps.tables, item, async () => (await loadHead(deps.tables, companyId)).value.sequence <= upTo);
  }
  return told.sent;
}

async function watchersOf(
  deps: Notifying,
  companyId: string,
  ofAll: readonly WebhookPlace[],
): Promise<readonly WebhookPlace[]> {
  if (companyId === NO_COMPANY || deps.unwatched.peek(companyId)) return ofAll;
  const own = await webhooksToTell(deps, companyId);
  if (own.length === 0) deps.unwatched.keep(companyId, true);
  return [...ofAll, ...own];
}

/** `upTo`: every webhook was told of all up to there; undefined if one waits. */
async function tellAll(
  deps: Notifying,
  companyId: string,
  webhooks: readonly WebhookPlace[],
): Promise<{ readonly sent: number; readonly upTo?: number }> {
  if (webhooks.length === 0) return { sent: 0, upTo: Number.MAX_SAFE_INTEGER };
  const told = await Promise.all(webhooks.map((webhook) => tellOne(deps, companyId, webhook)));
  const sent = told.reduce((sum, one) => sum + one.sent, 0);
  if (told.some(({ state }) => state === 'waits')) return { sent };
  const done = told.filter(({ state }) => state === 'caught-up').map(({ sequence }) => sequence);
  return { sent, upTo: Math.min(...done, Number.MAX_SAFE_INTEGER) };
}

async function tellOne(deps: Notifying, companyId: string, webhook: WebhookPlace): Promise<Delivered> {
  // By itself: a cursor that cannot be read keeps no other webhook waiting.
  const told = await lookAlone(deps.log, chainItem(companyId), () => deliverChain(deps, { webhook, companyId }));
  if (!told) return { state: 'waits', sequence: 0, sent: 0 };
  if (told.gone !== undefined) await switchOff(deps, webhook, { url: told.gone });
  return told;
}
