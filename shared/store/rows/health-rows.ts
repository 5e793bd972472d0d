// Rows of the `health` table: how each connection's vault stands now, and what changed when. Pure.
import type { ConnectionPlace } from '../../domain/connection.ts';
import type { KeyDates } from '../../domain/provider.ts';
import { VAULT_STATES, type KeyVersionInUse, type VaultHealth } from '../../domain/health.ts';
import { failureCode, failureOwner, isFailureCode, isRemedy, isTime } from './failure-cell.ts';
import { count, json, MalformedRow, need, oneOf, optionalText, text, type Cells } from './cells.ts';
import type { Row, Rows } from './row.ts';
import { isRecord, present } from '../../domain/plain-object.ts';

/** Sorts before the connection's history and is no part of it. */
export const currentHealthRowKey = (connectionId: string): string => `!current|${connectionId}`;

const LATEST_MS = 9_999_999_999_999;

/** Newest first: the time counts down. With the state in the key, two changes in one millisecond are two rows. */
export const historyRowKey = (connectionId: string, { checkedAt, state, code }: VaultHealth): string =>
  `${connectionId}|${String(LATEST_MS - Date.parse(checkedAt)).padStart(13, '0')}|${code ?? state}`;

export const healthCells = (health: VaultHealth): Cells => ({
  format: 1,
  ...health,
  lastGoodAt: health.lastGoodAt ?? '',
  warnings: JSON.stringify(health.warnings),
  keyVersions: JSON.stringify(health.keyVersions),
  remedy: health.remedy === undefined ? '' : JSON.stringify(health.remedy),
});

export function readHealth(cells: Cells): VaultHealth {
  const warnings = json(cells, 'warnings');
  const remedy = json(cells, 'remedy');
  return {
    state: need(oneOf(cells, 'state', VAULT_STATES), 'health', 'state'),
    since: need(text(cells, 'since'), 'health', 'since'),
    checkedAt: need(text(cells, 'checkedAt'), 'health', 'checkedAt'),
    sightings: need(count(cells, 'sightings'), 'health', 'sightings'),
    warnings: (Array.isArray(warnings) ? (warnings as unknown[]) : []).filter(isFailureCode),
    keyVersions: readKeyVersions(json(cells, 'keyVersions')),
    ...present({
      lastGoodAt: optionalText(cells, 'lastGoodAt'),
      code: failureCode(cells, 'code'),
      owner: failureOwner(cells, 'owner'),
      message: optionalText(cells, 'message'),
      cause: optionalText(cells, 'cause'),
      remedy: isRemedy(remedy) ? remedy : undefined,
    }),
  };
}

const readKeyVersions = (value: unknown): readonly KeyVersionInUse[] =>
  (Array.isArray(value) ? (value as unknown[]) : []).flatMap((version) => {
    if (!isRecord(version) || typeof version['keyId'] !== 'string') return [];
    const { keyId, createdAt, notBefore, expiresAt } = version;
    const dates = present({ createdAt, notBefore, expiresAt });
    return Object.values(dates).every(isTime) ? [{ keyId, ...(dates as KeyDates) }] : [];
  });

/** A vault's current health; undefined if it cannot be read: the next check writes it anew, and must not be kept from it. */
export const healthRow: Row<ConnectionPlace, VaultHealth, VaultHealth | undefined> = {
  table: 'health',
  partition: ({ companyId }) => companyId,
  key: ({ connectionId }) => currentHealthRowKey(connectionId),
  cells: healthCells,
  read: (cells) => {
    try {
      return readHealth(cells);
    } catch (error) {
      if (error instanceof MalformedRow) return undefined;
      throw error;
    }
  },
};

/** One change of a vault's health: what it became. */
export const healthChangeRow: Row<ConnectionPlace & { readonly health: VaultHealth }, VaultHealth> = {
  table: 'health',
  partition: ({ companyId }) => companyId,
  key: ({ connectionId, health }) => historyRowKey(connectionId, health),
  cells: healthCells,
  read: readHealth,
};

/** Newest first. */
export const healthChangesOf: Rows<ConnectionPlace, ConnectionPlace & { readonly rest: string }, VaultHealth> = {
  row: {
    table: 'health',
    partition: ({ companyId }) => companyId,
    key: ({ connectionId, rest }) => `${connectionId}|${rest}`,
    cells: healthCells,
    read: readHealth,
  },
  partition: ({ companyId }) => companyId,
  prefix: ({ connectionId }) => `${connectionId}|`,
  place: (connection, rest) => ({ ...connection, rest }),
};
