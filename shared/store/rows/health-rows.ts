// Rows of the `health` table: how each connection's vault stands now, and what changed when. Pure.
import { FAILURE_CODES, type FailureCode } from '../../domain/failure.ts';
import type { VaultHealth } from '../../domain/health.ts';
import { isRemedy } from './failure-cell.ts';
import { count, json, need, oneOf, optionalText, text, type CellRecord } from './cells.ts';
import { present } from '../../domain/plain-object.ts';

/** Sorts before the connection's history, outside of it. */
export const currentHealthRowKey = (connectionId: string): string => `!current|${connectionId}`;

const LATEST_MS = 9_999_999_999_999;

/** Newest first: the time counts down. The state makes two changes of one millisecond two rows. */
export const historyRowKey = (connectionId: string, { checkedAt, state, code }: VaultHealth): string =>
  `${connectionId}|${String(LATEST_MS - Date.parse(checkedAt)).padStart(13, '0')}|${code ?? state}`;

export const healthCells = (health: VaultHealth): CellRecord => ({
  format: 1,
  ...health,
  lastGoodAt: health.lastGoodAt ?? '',
  warnings: JSON.stringify(health.warnings),
  remedy: health.remedy === undefined ? '' : JSON.stringify(health.remedy),
});

export function readHealth(cells: CellRecord): VaultHealth {
  const warnings = json(cells, 'warnings');
  const remedy = json(cells, 'remedy');
  return {
    state: need(oneOf(cells, 'state', ['healthy', 'unreachable', 'revoked']), 'health', 'state'),
    since: need(text(cells, 'since'), 'health', 'since'),
    checkedAt: need(text(cells, 'checkedAt'), 'health', 'checkedAt'),
    repeats: need(count(cells, 'repeats'), 'health', 'repeats'),
    warnings: FAILURE_CODES.filter((code) => Array.isArray(warnings) && warnings.includes(code)),
    ...present({
      lastGoodAt: optionalText(cells, 'lastGoodAt'),
      code: oneOf<FailureCode>(cells, 'code', FAILURE_CODES),
      owner: oneOf(cells, 'owner', ['company-admin', 'azure-admin', 'vendor']),
      message: optionalText(cells, 'message'),
      cause: optionalText(cells, 'cause'),
      remedy: isRemedy(remedy) ? remedy : undefined,
    }),
  };
}
