// A vendor with two companies and receivers in memory: what happens is recorded by real acts, and the timer's turn tells webhooks of it.
import { Webhook as Receiver } from 'standardwebhooks';
import { NO_COMPANY } from '../../../shared/domain/ids.ts';
import type { SignatureKind } from '../../../shared/domain/webhook.ts';
import { putCompany } from '../../../shared/operations/companies/companies.ts';
import { sweepHeads } from '../../../shared/operations/audit/sign-heads.ts';
import { sweepNotifications, type Notifying } from '../../../shared/operations/notifications/sweep-notifications.ts';
import {
  putWebhook,
  type PutWebhook,
  type WebhookChanging,
} from '../../../shared/operations/notifications/webhooks.ts';
import { recordEvent, type Recording } from '../../../shared/store/record-event.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import type { WebhookRequest } from '../../../shared/domain/webhook-sender.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeReceivers } from '../../fakes/fake-receivers.ts';
import { POLICY } from '../../fixtures/policy.ts';
import { API_URL, HOST, URL_OF_HOST } from './request.ts';
import { TestWorld } from '../../world.ts';

export const CONTOSO = 'contoso';
export const FABRIKAM = 'fabrikam';
export { HOST, URL_OF_HOST };
const HOOK_POLICY = { ...POLICY, apiUrl: API_URL, webhookHosts: [] as readonly string[] };

export class NotificationScene extends TestWorld {
  readonly receivers = new FakeReceivers();
  readonly host = this.process();

  /** One more process of the app. */
  process(tables: Tables = this.store): Notifying & WebhookChanging & Recording & Parameters<typeof putCompany>[0] {
    return this.startHost(HOOK_POLICY, { tables, beside: { webhookSender: this.receivers } });
  }

  static async begin(): Promise<NotificationScene> {
    const scene = new NotificationScene({ seed: 'notifications' });
    for (const companyId of [CONTOSO, FABRIKAM]) {
      const put = await putCompany(scene.host, { companyId, displayName: companyId }, ADMIN);
      if (!put.ok) throw new Error(put.error.type);
    }
    scene.clock.advance(60_000);
    return scene;
  }

  async subscribe(
    companyId = CONTOSO,
    input: { readonly url?: string; readonly types?: readonly string[]; readonly signature?: SignatureKind } = {},
    webhookId = 'siem',
  ): Promise<PutWebhook> {
    const request = { companyId, webhookId, input: { url: URL_OF_HOST, ...input }, condition: {} };
    const put = await putWebhook(this.host, request, ADMIN);
    if (!put.ok) throw new Error(JSON.stringify(put.error));
    // What is recorded of it is no part of what tests look at.
    this.clock.advance(1_000);
    await this.turn();
    this.receivers.taken.length = 0;
    this.receivers.attempts.length = 0;
    return put.value;
  }

  /** Something that is recorded, with a name to know it by. */
  async happens(action: string, companyId = CONTOSO, detail: Readonly<Record<string, string>> = {}): Promise<void> {
    const recorded = await recordEvent(this.host, ADMIN, {
      action,
      companyId,
      target: 'thing',
      detail,
      outcome: 'done',
    });
    if (!recorded) throw new Error('not recorded');
  }

  turn(deps: Notifying = this.host): Promise<number> {
    return sweepNotifications(deps);
  }

  /** The hourly signature, after which a chain is no longer among those that have moved. */
  sign(): Promise<number> {
    return sweepHeads(this.host);
  }

  typesAt(host = HOST): string[] {
    return this.receivers.at(host).map(({ type }) => type);
  }
}

export const OF_ALL = NO_COMPANY;

/** As the receiver does, with the library of Standard Webhooks: throws unless the message is by this secret. */
export function verifyAsReceiver(secret: string, { headers, body }: WebhookRequest, now: Date): unknown {
  const { 'webhook-timestamp': timestamp = '' } = headers;
  // The library knows only the clock of the machine.
  const ageMs = now.getTime() - Number(timestamp) * 1000;
  if (Math.abs(ageMs) > 300_000) throw new Error('too old');
  const receiver = new Receiver(secret);
  const realNow = Date.now;
  Date.now = () => now.getTime();
  try {
    return receiver.verify(body, headers);
  } finally {
    Date.now = realNow;
  }
}
