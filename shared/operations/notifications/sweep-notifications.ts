// The timer's turn: every chain that has moved since its head was last signed, and every one that was left behind then. Before a head is signed and its
// chain leaves the agenda, the chain is put among those left behind (audit/sign-heads.ts), so none is forgotten whatever a webhook does meanwhile.
import { NO_COMPANY } from '../../domain/ids.ts';
import type { Sealer } from '../../domain/ports.ts';
import type { WebhookPlace } from '../../domain/webhook.ts';
import { lookAlone, walkAgenda } from '../../store/agenda-walk.ts';
import { takeOffAgenda, type AgendaItem } from '../../store/agenda.ts';
import { loadHead, type Auditing } from '../../store/append.ts';
import type { DeliveryPlace } from '../../store/rows/webhook-rows.ts';
import { deliverChain, howChainStands, type ChainDelivering, type Delivered } from './deliver-chain.ts';
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

/**
 * Whom a walk tells. Webhooks of all companies have walks of their own: a receiver that is slow for each company holds up none of the companies' own
 * webhooks.
 */
interface Audience {
  readonly walker: 'own' | 'all';
  readonly told: (companyId: string) => Promise<readonly WebhookPlace[]>;
  /** Those that the other walks tell. */
  readonly others: (companyId: string) => Promise<readonly WebhookPlace[]>;
  readonly redelivers: (webhook: WebhookPlace) => boolean;
}

/** Answers how many events were taken. */
export async function sweepNotifications(deps: Notifying): Promise<number> {
  const all = await webhooksToTell(deps, NO_COMPANY);
  const ofAll = (): Promise<readonly WebhookPlace[]> => Promise.resolve(all);
  const own = async (companyId: string): Promise<readonly WebhookPlace[]> =>
    companyId === NO_COMPANY ? [] : webhooksToTell(deps, companyId);
  const isOfAll = ({ companyId }: WebhookPlace): boolean => companyId === NO_COMPANY && all.length > 0;
  const toOwn: Audience = { walker: 'own', told: own, others: ofAll, redelivers: (webhook) => !isOfAll(webhook) };
  const toAll: Audience = { walker: 'all', told: ofAll, others: own, redelivers: isOfAll };
  const walks = await Promise.allSettled((all.length > 0 ? [toOwn, toAll] : [toOwn]).map((to) => walkFor(deps, to)));
  let sent = 0;
  for (const walk of walks) {
    if (walk.status === 'rejected') throw walk.reason;
    sent += walk.value;
  }
  return sent;
}

async function walkFor(deps: Notifying, to: Audience): Promise<number> {
  const looked = new Set<string>();
  const slice = { lanes: LANES, budgetMs: SLICE_MS };
  const left = await walkAgenda(deps, { kind: 'notify', walker: `notify-${to.walker}`, ...slice }, async (item) => {
    const redelivered = redeliveryOf(item);
    if (redelivered) return to.redelivers(redelivered) ? redeliver(deps, redelivered, item) : 0;
    looked.add(item.companyId);
    return lookAtLeft(deps, item, to);
  });
  const ofMoved = { kind: 'head', walker: `notify-head-${to.walker}`, ...slice } as const;
  const moved = await walkAgenda(deps, ofMoved, async ({ companyId }) => {
    if (looked.has(companyId)) return 0;
    return (await tellAll(deps, companyId, await watchersOf(deps, companyId, to))).sent;
  });
  return left.sum + moved.sum;
}

async function lookAtLeft(deps: Notifying, item: AgendaItem, to: Audience): Promise<number> {
  const { companyId } = item;
  const told = await tellAll(deps, companyId, await to.told(companyId));
  if (told.upTo === undefined) return told.sent;
  const others = await tellAll(deps, companyId, await to.others(companyId), howChainStands);
  // A webhook that came meanwhile has renewed the item; a chain that moves on is among those that have moved.
  if (others.upTo !== undefined) {
    const upTo = Math.min(told.upTo, others.upTo);
    await takeOffAgenda(deps.tables, item, async () => (await loadHead(deps.tables, companyId)).value.sequence <= upTo);
  }
  return told.sent;
}

/** Of a chain that has moved. That a company has no webhook of its own is remembered for a minute. */
async function watchersOf(deps: Notifying, companyId: string, to: Audience): Promise<readonly WebhookPlace[]> {
  if (to.walker === 'own' && deps.unwatched.peek(companyId)) return [];
  const webhooks = await to.told(companyId);
  if (to.walker === 'own' && webhooks.length === 0) deps.unwatched.keep(companyId, true);
  return webhooks;
}

/** `upTo`: every webhook was told of all up to there; undefined if one waits. */
async function tellAll(
  deps: Notifying,
  companyId: string,
  webhooks: readonly WebhookPlace[],
  tell: typeof deliverChain = deliverChain,
): Promise<{ readonly sent: number; readonly upTo?: number }> {
  if (webhooks.length === 0) return { sent: 0, upTo: Number.MAX_SAFE_INTEGER };
  const told = await Promise.all(webhooks.map((webhook) => tellOne(deps, { webhook, companyId }, tell)));
  const sent = told.reduce((sum, one) => sum + one.sent, 0);
  if (told.some(({ state }) => state === 'waits')) return { sent };
  const done = told.filter(({ state }) => state === 'caught-up').map(({ sequence }) => sequence);
  return { sent, upTo: Math.min(...done, Number.MAX_SAFE_INTEGER) };
}

async function tellOne(deps: Notifying, place: DeliveryPlace, tell: typeof deliverChain): Promise<Delivered> {
  // By itself: a cursor that cannot be read keeps no other webhook waiting.
  const told = await lookAlone(deps.log, chainItem(place.companyId), () => tell(deps, place));
  if (!told) return { state: 'waits', sequence: 0, sent: 0 };
  if (told.gone !== undefined) await switchOff(deps, place.webhook, { url: told.gone });
  return told;
}
