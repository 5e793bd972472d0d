// The only way to a webhook that anything is sent to: its seal is checked first, so a writer of the tables cannot have events sent elsewhere.
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfWebhook } from '../../domain/seal.ts';
import type { Webhook, WebhookPlace } from '../../domain/webhook.ts';
import { find, list, type Found } from '../../store/found.ts';
import { webhookRow, webhooksOf } from '../../store/rows/webhook-rows.ts';
import type { Tables } from '../../store/tables.ts';
import { checkSeal, forged, type SealCheck } from '../keys/seals.ts';

export interface WebhookReading extends SealCheck {
  readonly tables: Pick<Tables, 'read'>;
}

/** Undefined if there is none; `row-forged` if Keyswitch did not write it. */
export async function loadWebhook(
  reading: WebhookReading,
  place: WebhookPlace,
): Promise<Result<Found<Webhook> | undefined, Failure>> {
  const row = await find(reading.tables, webhookRow, place);
  return row ? verifyWebhook(reading, place, row) : ok(undefined);
}

export async function verifyWebhook(
  reading: SealCheck,
  place: WebhookPlace,
  row: Found<Webhook | undefined>,
): Promise<Result<Found<Webhook>, Failure>> {
  const { companyId } = place;
  const { rowKey } = row.at;
  const webhook = row.value;
  if (!webhook) return err(forged(reading.log, { companyId, rowKey }));
  // invariant A16
  const bytes = sealedBytesOfWebhook(place, webhook);
  const checked = await checkSeal(reading, { companyId, rowKey, bytes, seal: webhook.seal });
  return checked.ok ? ok({ ...row, value: webhook }) : checked;
}

/**
 * As it is now, for the next call to it. `off`: it is to be sent nothing, because it is gone, switched off or forged, which was logged. `waits`: the
 * vendor's vault does not answer.
 */
export async function webhookNow(reading: WebhookReading, place: WebhookPlace): Promise<Webhook | 'off' | 'waits'> {
  const loaded = await loadWebhook(reading, place);
  if (!loaded.ok) return loaded.error.code === 'row-forged' ? 'off' : 'waits';
  return loaded.value?.value.state === 'on' ? loaded.value.value : 'off';
}

/** Those of a company, or of all, that are not off. They are read anew, and their seals checked, before anything is sent. */
export async function webhooksToTell(
  { tables }: { readonly tables: Tables },
  companyId: string,
): Promise<readonly WebhookPlace[]> {
  const rows = await list(tables, webhooksOf, { companyId });
  return rows.filter(({ value }) => value?.state !== 'off').map(({ place }) => place);
}
