// A webhook whose receiver has answered 410 Gone: it wants no more events, until an admin puts it again.
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Sealer } from '../../domain/ports.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { WebhookPlace } from '../../domain/webhook.ts';
import { act } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import type { SealCheck } from '../keys/seals.ts';
import { loadWebhook } from './verified-webhook.ts';
import { actOnWebhook, sealWebhook } from './webhooks.ts';

/** Nothing if it is gone or off already, or leads elsewhere than to the address that wants no more. One `sign`. */
export const switchOff = (
  deps: SealCheck & Auditing & { readonly sealer: Sealer },
  place: WebhookPlace,
  { url }: { readonly url: string },
): Promise<Result<undefined, Refusal>> =>
  act<undefined>(deps, { actor: KEYSWITCH, ...actOnWebhook('webhook.switched-off', place) }, async (tx) => {
    const held = await loadWebhook(deps, place);
    if (!held.ok) return err(refusedBy(held.error));
    if (held.value?.value.state !== 'on' || held.value.value.url !== url) return ok(undefined);
    const off = await sealWebhook(deps, place, { ...held.value.value, state: 'off' });
    if (!off.ok) return off;
    tx.replace(held.value, off.value);
    tx.detail({ code: 'webhook-gone' });
    return ok(undefined);
  });
