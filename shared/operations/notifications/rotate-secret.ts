// A new signing key for a webhook. The one before signs beside it for a time, so that the receiver can take over at its leisure.
import type { Actor } from '../../domain/audit.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { keysAt, type Webhook, type WebhookPlace } from '../../domain/webhook.ts';
import { act } from '../../store/act.ts';
import { secretsItemOf } from '../../store/agenda.ts';
import { notFound } from '../../domain/refusal.ts';
import type { Loaded } from '../../store/found.ts';
import { webhookRow } from '../../store/rows/webhook-rows.ts';
import { makeSigningKey, type MadeKey } from './signing-keys.ts';
import { loadWebhook } from './verified-webhook.ts';
import { actOnWebhook, getWebhook, openCompany, sealWebhook, type WebhookChanging } from './webhooks.ts';

/** Beside the new one. */
const MAX_OLD_KEYS = 2;
const HOUR_MS = 3_600_000;

export interface Rotated extends Loaded<Webhook> {
  readonly verifier: string;
}

export function rotateSecret(
  deps: WebhookChanging,
  { overlapHours, companyId, webhookId }: WebhookPlace & { readonly overlapHours: number },
  actor: Actor,
): Promise<Result<Rotated, Refusal>> {
  const place = { companyId, webhookId };
  // Made once: an attempt whose answer was lost may be the one that was written.
  let made: MadeKey | undefined;
  return act<Rotated>(deps, { actor, ...actOnWebhook('webhook.rotate-secret', place) }, async (tx) => {
    const guardCompany = await openCompany(tx, place);
    const held = await loadWebhook(deps, place);
    if (!held.ok) return err(refusedBy(held.error));
    if (!held.value) return err(notFound('webhook', webhookId));
    const { value: webhook } = held.value;
    const key = made ? ok(made) : await makeSigningKey(deps, place, webhook.keys[0]?.kind ?? 'v1');
    if (!key.ok) return err(refusedBy(key.error));
    made = key.value;
    const { verifier } = made;
    const now = deps.clock.now();
    const until = new Date(now.getTime() + overlapHours * HOUR_MS).toISOString();
    const old = keysAt(webhook, now)
      .slice(0, MAX_OLD_KEYS)
      .map((one) => ({
        ...one,
        expiresAt: one.expiresAt !== undefined && one.expiresAt < until ? one.expiresAt : until,
      }));
    const next = await sealWebhook(deps, place, { ...webhook, keys: [made.key, ...old] });
    if (!next.ok) return next;
    guardCompany();
    tx.agenda(secretsItemOf(companyId, webhookRow.key(place)));
    const written = tx.replace(held.value, next.value);
    tx.detail({ overlapHours });
    return {
      done: () => ({ ...written(), verifier }),
      ifLanded: async () => {
        const landed = await getWebhook(deps, place);
        return landed.ok ? ok({ ...landed.value, verifier }) : landed;
      },
    };
  });
}
