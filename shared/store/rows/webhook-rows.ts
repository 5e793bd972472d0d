// Rows of webhooks: the webhook itself, which decides where events go, how far it was told of each company's, and what was given up. Pure.
import type { FailureCode } from '../../domain/failure.ts';
import { isRecord, present } from '../../domain/plain-object.ts';
import { notFound } from '../../domain/refusal.ts';
import { sealedBytesOfWebhook } from '../../domain/seal.ts';
import {
  placeOfWebhookKey,
  SIGNATURE_KINDS,
  WEBHOOK_STATES,
  type DeadLetter,
  type DeliveryCursor,
  type Webhook,
  type WebhookKey,
  type WebhookPlace,
} from '../../domain/webhook.ts';
import { count, json, need, needFormat, oneOf, optionalText, text, type Cells } from './cells.ts';
import { failureCode } from './failure-cell.ts';
import type { Row, Rows } from './row.ts';
import {
  CURSOR_PREFIX,
  DEAD_LETTER_PREFIX,
  deliveriesPartition,
  recordRowKey,
  WEBHOOK_PREFIX,
  webhookRowKey,
} from './row-keys.ts';
import { readSeal } from './seal-cell.ts';
import { readSealedSecret } from './secret-cell.ts';

const FORMAT = 1;

const webhookCells = ({ url, types, state, keys, createdAt, seal }: Webhook): Cells => ({
  format: FORMAT,
  url,
  types: JSON.stringify(types),
  state,
  keys: JSON.stringify(keys),
  createdAt,
  seal: JSON.stringify(seal),
});

function readWebhook(cells: Cells, { webhookId }: WebhookPlace): Webhook | undefined {
  const url = text(cells, 'url');
  const types = json(cells, 'types');
  const state = oneOf(cells, 'state', WEBHOOK_STATES);
  const keys = readKeys(json(cells, 'keys'));
  const createdAt = text(cells, 'createdAt');
  const seal = readSeal(json(cells, 'seal'));
  if (count(cells, 'format') !== FORMAT || url === undefined || !areTexts(types)) return undefined;
  if (state === undefined || !keys || createdAt === undefined || !seal) return undefined;
  return { webhookId, url, types, state, keys, createdAt, seal };
}

const areTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

function readKeys(value: unknown): readonly WebhookKey[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const keys = (value as unknown[]).map(readKey);
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

function readKey(value: unknown): WebhookKey | undefined {
  if (!isRecord(value)) return undefined;
  const { id, publicKey, createdAt, expiresAt } = value;
  const kind = SIGNATURE_KINDS.find((one) => one === value['kind']);
  const secret = readSealedSecret(value['secret']);
  if (typeof id !== 'string' || !kind || !secret || typeof createdAt !== 'string') return undefined;
  if (!isTextOrAbsent(publicKey) || !isTextOrAbsent(expiresAt)) return undefined;
  return { id, kind, secret, createdAt, ...present({ publicKey, expiresAt }) };
}

const isTextOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string';

/** Undefined, which counts as forged, if it cannot be read. */
export const webhookRow: Row<WebhookPlace, Webhook, Webhook | undefined> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ webhookId }) => webhookRowKey(webhookId),
  cells: webhookCells,
  read: readWebhook,
  sealed: (webhook, place) =>
    webhook && {
      parts: [{ bytes: sealedBytesOfWebhook(place, webhook), seal: webhook.seal }],
      with: ([seal = webhook.seal]) => ({ ...webhook, seal }),
      cells: ['seal'],
    },
  secrets: (webhook, place) =>
    webhook && {
      secrets: webhook.keys.map((key) => ({ place: placeOfWebhookKey(place, key), secret: key.secret })),
      with: (secrets) => ({
        ...webhook,
        keys: webhook.keys.map((key, index) => ({ ...key, secret: secrets[index] ?? key.secret })),
      }),
    },
  missing: ({ webhookId }) => notFound('webhook', webhookId),
};

/** Of one company, or those that get the events of all. */
export const webhooksOf: Rows<{ readonly companyId: string }, WebhookPlace, Webhook, Webhook | undefined> = {
  row: webhookRow,
  partition: ({ companyId }) => companyId,
  prefix: () => WEBHOOK_PREFIX,
  place: ({ companyId }, webhookId) => ({ companyId, webhookId }),
};

export interface DeliveryPlace {
  readonly webhook: WebhookPlace;
  /** Whose events they are. */
  readonly companyId: string;
}

export const cursorRow: Row<DeliveryPlace, DeliveryCursor> = {
  table: 'agenda',
  partition: ({ webhook }) => deliveriesPartition(webhook),
  key: ({ companyId }) => `${CURSOR_PREFIX}${companyId}`,
  cells: (cursor) => ({
    format: FORMAT,
    sequence: cursor.sequence,
    hash: cursor.hash,
    attempts: cursor.attempts,
    deliveredAt: cursor.deliveredAt ?? '',
    failingSince: cursor.failingSince ?? '',
    nextAt: cursor.nextAt ?? '',
    code: cursor.code ?? '',
    leaseUntil: cursor.leaseUntil ?? '',
  }),
  read: (cells) => {
    needFormat(cells, 'cursor');
    return {
      sequence: need(count(cells, 'sequence'), 'cursor', 'sequence'),
      hash: need(text(cells, 'hash'), 'cursor', 'hash'),
      attempts: need(count(cells, 'attempts'), 'cursor', 'attempts'),
      ...present({
        deliveredAt: optionalText(cells, 'deliveredAt'),
        failingSince: optionalText(cells, 'failingSince'),
        nextAt: optionalText(cells, 'nextAt'),
        code: failureCode(cells, 'code'),
        leaseUntil: optionalText(cells, 'leaseUntil'),
      }),
    };
  },
};

/** Of all companies whose events a webhook gets. */
export const cursorsOf: Rows<WebhookPlace, DeliveryPlace, DeliveryCursor> = {
  row: cursorRow,
  partition: deliveriesPartition,
  prefix: () => CURSOR_PREFIX,
  place: (webhook, companyId) => ({ webhook, companyId }),
};

export type DeadLetterPlace = DeliveryPlace & { readonly sequence: number };

export const deadLetterRow: Row<DeadLetterPlace, DeadLetter> = {
  table: 'agenda',
  partition: ({ webhook }) => deliveriesPartition(webhook),
  key: ({ companyId, sequence }) => `${DEAD_LETTER_PREFIX}${companyId}|${recordRowKey(sequence)}`,
  cells: (letter) => ({ format: FORMAT, ...letter }),
  read: (cells) => {
    const ofLetter = (name: string): string => need(text(cells, name), 'dead letter', name);
    needFormat(cells, 'dead letter');
    return {
      eventId: ofLetter('eventId'),
      action: ofLetter('action'),
      at: ofLetter('at'),
      deadAt: ofLetter('deadAt'),
      code: need<FailureCode>(failureCode(cells, 'code'), 'dead letter', 'code'),
    };
  },
};

/** By company, then in the order of its events. */
export const deadLettersOf: Rows<WebhookPlace, DeadLetterPlace, DeadLetter> = {
  row: deadLetterRow,
  partition: deliveriesPartition,
  prefix: () => DEAD_LETTER_PREFIX,
  place: (webhook, rest) => {
    const [companyId = '', sequence] = rest.split('|');
    return { webhook, companyId, sequence: Number(sequence) };
  },
};
