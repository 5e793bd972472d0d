// Acts on webhooks, as scenes: each as it is just before.
import { requestOf, URL_OF_HOST } from '../operations/notifications/request.ts';
import { rotateSecret } from '../../shared/operations/notifications/rotate-secret.ts';
import { switchOff } from '../../shared/operations/notifications/switch-off.ts';
import { deleteWebhook, getWebhook, putWebhook } from '../../shared/operations/notifications/webhooks.ts';
import { ADMIN } from '../fakes/actors.ts';
import { COMPANY, type Rig } from '../operations/switches/rig.ts';
import { after, at, type Host, type Scene } from './scene.ts';

const PLACE = { companyId: COMPANY, webhookId: 'siem' };
const anywhere = (host: Host): Host & { readonly webhookHosts: readonly string[] } => ({ ...host, webhookHosts: [] });

const put = (host: Host): Promise<unknown> => putWebhook(anywhere(host), requestOf(PLACE), ADMIN);
const subscribed = (rig: Rig): Promise<unknown> => put(rig.freshHost());

/** A caller who got no answer looks whether there is a new key before asking for another. */
async function rotateUnlessDone(host: Host): Promise<unknown> {
  const webhook = await getWebhook(host, PLACE);
  if (webhook.ok && webhook.value.value.keys.length > 1) return webhook;
  return rotateSecret(anywhere(host), { ...PLACE, overlapHours: 24 }, ADMIN);
}

export const WEBHOOKS: Readonly<Record<string, () => Promise<Scene>>> = {
  'webhook.put': at(put),
  'webhook.delete': after(subscribed, (host) => deleteWebhook(host, { ...PLACE, condition: {} }, ADMIN)),
  'webhook.rotate-secret': after(subscribed, rotateUnlessDone),
  'webhook.switched-off': after(subscribed, (host) => switchOff(host, PLACE, { url: URL_OF_HOST })),
};
