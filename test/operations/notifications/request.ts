// What a webhook is asked for with where a test says no more.
import type { putWebhook } from '../../../shared/operations/notifications/webhooks.ts';
import type { WebhookPlace } from '../../../shared/domain/webhook.ts';

export const HOST = 'hooks.contoso.com';
export const URL_OF_HOST = `https://${HOST}/keyswitch`;
export const API_URL = 'https://keyswitch.example.com/api/v1';

export const requestOf = (place: WebhookPlace): Parameters<typeof putWebhook>[1] => ({
  ...place,
  input: { url: URL_OF_HOST },
  condition: {},
});
