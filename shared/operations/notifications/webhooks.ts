// Webhooks as a resource, of a company or of all: create or replace, read, list, delete. Where one may lead is judged before anything is stored, and
// the row carries the seal.
import type { Act, Actor } from '../../domain/audit.ts';
import { isResourceId, NO_COMPANY } from '../../domain/ids.ts';
import { present } from '../../domain/plain-object.ts';
import type { Entropy, Sealer } from '../../domain/ports.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfWebhook } from '../../domain/seal.ts';
import { MAX_WEBHOOKS, type SignatureKind, type Webhook, type WebhookPlace } from '../../domain/webhook.ts';
import { parseWebhookUrl } from '../../domain/webhook-url.ts';
import type { Providers } from '../../providers/provider.ts';
import { act, changeOnce } from '../../store/act.ts';
import { givenUpItemOf, secretsItemOf, takeOffAgenda } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import { loadCompany } from '../../store/control-state.ts';
import { firstRows } from '../../store/first-rows.ts';
import { at, list, listPage, type Found, type Loaded } from '../../store/found.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import { cursorRow, webhookRow, webhooksOf } from '../../store/rows/webhook-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { Tx } from '../../store/tx.ts';
import type { SealCheck } from '../keys/seals.ts';
import { chainItem } from './items.ts';
import { makeSigningKey, type MadeKey } from './signing-keys.ts';
import { loadWebhook, verifyWebhook, type WebhookReading } from './verified-webhook.ts';

export interface WebhookChanging extends SealCheck, Auditing {
  readonly sealer: Sealer;
  readonly providers: Providers;
  readonly entropy: Entropy;
  /** The domains that webhooks may lead to; all if empty. */
  readonly webhookHosts: readonly string[];
}

/** The store's ETags; `ifMatch` may be `*`. */
interface WriteCondition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: '*';
}

export interface WebhookInput {
  readonly url: string;
  readonly types?: readonly string[];
  readonly signature?: SignatureKind;
}

export interface PutWebhook extends Loaded<Webhook> {
  readonly created: boolean;
  /** What the receiver verifies with; only where a key was made by this call. */
  readonly verifier?: string;
}

export async function getWebhook(
  reading: WebhookReading,
  place: WebhookPlace,
): Promise<Result<Found<Webhook>, Refusal>> {
  const loaded = await loadWebhook(reading, place);
  if (!loaded.ok) return err(refusedBy(loaded.error));
  return loaded.value ? ok(loaded.value) : err(notFound('webhook', place.webhookId));
}

/** One whose seal does not verify was logged as a security event, and is left out. */
export async function listWebhooks(
  deps: SealCheck & { readonly tables: Tables },
  query: { readonly companyId: string; readonly limit: number; readonly continuation?: string },
): Promise<Result<{ readonly webhooks: readonly Loaded<Webhook>[]; readonly continuation?: string }, Refusal>> {
  const { companyId, limit, continuation } = query;
  if (continuation !== undefined && !isResourceId(continuation))
    return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this list.' });
  if (companyId !== NO_COMPANY && !(await loadCompany(deps.tables, companyId)))
    return err(notFound('company', companyId));
  const after = continuation === undefined ? undefined : { companyId, webhookId: continuation };
  const page = await listPage(deps.tables, webhooksOf, { companyId }, { limit, ...present({ after }) });
  const webhooks: Loaded<Webhook>[] = [];
  for (const { place, ...row } of page.rows) {
    const verified = await verifyWebhook(deps, place, row);
    if (verified.ok) webhooks.push(verified.value);
    else if (verified.error.code !== 'row-forged') return err(refusedBy(verified.error));
  }
  return ok({ webhooks, ...present({ continuation: page.last?.webhookId }) });
}

/** The same values again change nothing. A new one gets its first signing key, whose verifier is answered this once. */
export async function putWebhook(
  deps: WebhookChanging,
  request: WebhookPlace & { readonly input: WebhookInput; readonly condition: WriteCondition },
  actor: Actor,
): Promise<Result<PutWebhook, Refusal>> {
  const { companyId, webhookId, input } = request;
  const place = { companyId, webhookId };
  const url = parseWebhookUrl(input.url, deps.webhookHosts);
  if (!url.ok) return err({ type: 'failure', failure: url.error, target: 'url' });
  const wanted = { url: url.value.href, types: [...new Set(input.types)] };
  // Made once: an attempt whose answer was lost may be the one that was written.
  let made: MadeKey | undefined;
  return act<PutWebhook>(deps, { actor, ...actOnWebhook('webhook.put', place) }, async (tx) => {
    const guardCompany = await openCompany(tx, place);
    const existing = await loadWebhook(deps, place);
    if (!existing.ok) return err(refusedBy(existing.error));
    const held = existing.value;
    if (!holds(request.condition, held?.etag))
      return err({ type: 'precondition-failed', what: 'webhook', id: webhookId });
    if (held && input.signature !== undefined && input.signature !== held.value.keys[0]?.kind)
      return err(SIGNATURE_STAYS);
    if (held && isSame(held.value, wanted)) return ok({ ...held, created: false });
    if (!held) {
      if ((await list(deps.tables, webhooksOf, place)).length >= MAX_WEBHOOKS) return err(TOO_MANY);
      const key = made ? ok(made) : await makeSigningKey(deps, place, input.signature ?? 'v1');
      if (!key.ok) return err(refusedBy(key.error));
      made = key.value;
      await forgetDeliveries(deps, place);
    }
    const kept = held?.value ?? { webhookId, keys: made ? [made.key] : [], createdAt: deps.clock.now().toISOString() };
    const webhook = await sealWebhook(deps, place, { ...kept, ...wanted, state: 'on' });
    if (!webhook.ok) return webhook;
    guardCompany();
    tx.agenda(chainItem(companyId));
    tx.agenda(secretsItemOf(companyId, webhookRow.key(place)));
    const put = tx.put(webhookRow, place, held, webhook.value);
    const created = !held;
    const verifier = created ? made?.verifier : undefined;
    tx.detail({ created, host: url.value.hostname });
    return {
      done: () => ({ ...put(), created, ...present({ verifier }) }),
      ifLanded: async () => {
        const landed = await getWebhook(deps, place);
        return landed.ok ? ok({ ...landed.value, created, ...present({ verifier }) }) : landed;
      },
    };
  });
}

export async function deleteWebhook(
  deps: SealCheck & Auditing,
  request: WebhookPlace & { readonly condition: Pick<WriteCondition, 'ifMatch'> },
  actor: Actor,
): Promise<Result<void, Refusal>> {
  const { companyId, webhookId, condition } = request;
  const place = { companyId, webhookId };
  const deleted = await act<undefined>(deps, { actor, ...actOnWebhook('webhook.delete', place) }, async (tx) => {
    const held = await tx.need(webhookRow, place);
    if (!holds(condition, held.etag)) return err({ type: 'precondition-failed', what: 'webhook', id: webhookId });
    tx.delete(held);
    return ok(undefined);
  });
  if (deleted.ok) await forgetDeliveries(deps, place);
  return deleted;
}

/** How far it was told, and what was given up. What a death leaves behind goes when the id is used again, and tells of nothing before that. */
async function forgetDeliveries(deps: { readonly tables: Tables }, place: WebhookPlace): Promise<void> {
  const { table, partitionKey } = at(cursorRow, { webhook: place, companyId: place.companyId });
  for (;;) {
    const rows = await firstRows(deps.tables, { table, partitionKey });
    if (rows.length === 0) return takeOffAgenda(deps.tables, givenUpItemOf(place));
    const gone = await changeOnce(deps, (tx) => {
      for (const row of rows) tx.delete(row);
    });
    if (!gone.ok) return;
  }
}

export const actOnWebhook = (action: string, place: WebhookPlace): Act => ({
  action,
  companyId: place.companyId,
  target: webhookRow.key(place),
});

/** Refused while the company is being deleted. What it answers adds to a write that it must not have begun meanwhile. */
export async function openCompany(tx: Tx, { companyId }: WebhookPlace): Promise<() => void> {
  if (companyId === NO_COMPANY) return () => undefined;
  const company = await tx.need(companyRow, { companyId });
  return () => void tx.guard(company);
}

/** One `sign`. */
export async function sealWebhook(
  { sealer }: { readonly sealer: Sealer },
  place: WebhookPlace,
  webhook: Omit<Webhook, 'seal'>,
): Promise<Result<Webhook, Refusal>> {
  const seal = await sealer.sign(sealedBytesOfWebhook(place, webhook));
  return seal.ok ? ok({ ...webhook, seal: seal.value }) : err(refusedBy(seal.error));
}

const TOO_MANY: Refusal = {
  type: 'state',
  code: 'too-many-webhooks',
  message: `There can be ${MAX_WEBHOOKS} webhooks at most: delete one first.`,
};

const SIGNATURE_STAYS: Refusal = {
  type: 'invalid',
  target: 'signature',
  message: 'The kind of signature of a webhook stays as it is. Delete the webhook and create it anew.',
};

const isSame = (held: Webhook, wanted: Pick<Webhook, 'url' | 'types'>): boolean =>
  held.state === 'on' && held.url === wanted.url && JSON.stringify(held.types) === JSON.stringify(wanted.types);

function holds({ ifMatch, ifNoneMatch }: WriteCondition, etag: string | undefined): boolean {
  if (ifNoneMatch !== undefined && etag !== undefined) return false;
  if (ifMatch === undefined) return true;
  return ifMatch === '*' ? etag !== undefined : ifMatch === etag;
}
