// Rows of keyrings. Pure.
import type { Keyring, KeyringPlace } from '../../domain/keyring.ts';
import { notFound } from '../../domain/refusal.ts';
import { count, need, needFormat, oneOf, optionalText, text, type Cells } from './cells.ts';
import { present } from '../../domain/plain-object.ts';
import type { CompanyPlace } from './company-rows.ts';
import { readRef, refCells } from './ref-cells.ts';
import type { Row, Rows } from './row.ts';
import { keyringRowKey } from './row-keys.ts';

const FORMAT = 1;

/** An absent `switchId` is written as an empty text, so that a merge can remove it. */
export const keyringCells = (keyring: Keyring): Cells => {
  const { provider, ...rest } = keyring;
  return { format: FORMAT, ...rest, ...refCells('inForce', provider), switchId: keyring.switchId ?? '' };
};

export function readKeyring(cells: Cells): Keyring {
  const keyringId = text(cells, 'keyringId') ?? '';
  const row = keyringRowKey(keyringId);
  needFormat(cells, row);
  return {
    keyringId,
    state: need(oneOf(cells, 'state', ['creating', 'ready']), row, 'state'),
    shardCount: need(count(cells, 'shardCount'), row, 'shardCount'),
    provider: need(readRef(cells, 'inForce'), row, 'provider'),
    activeVersion: need(count(cells, 'activeVersion'), row, 'activeVersion'),
    highVersion: need(count(cells, 'highVersion'), row, 'highVersion'),
    generation: need(count(cells, 'generation'), row, 'generation'),
    rollBacks: need(count(cells, 'rollBacks'), row, 'rollBacks'),
    createdAt: need(text(cells, 'createdAt'), row, 'createdAt'),
    ...present({ switchId: optionalText(cells, 'switchId') }),
  };
}

export const keyringRow: Row<KeyringPlace, Keyring> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ keyringId }) => keyringRowKey(keyringId),
  cells: keyringCells,
  read: readKeyring,
  missing: ({ keyringId }) => notFound('keyring', keyringId),
};

/** At most MAX_KEYRINGS_PER_COMPANY. */
export const keyringsOf: Rows<CompanyPlace, KeyringPlace, Keyring> = {
  row: keyringRow,
  partition: ({ companyId }) => companyId,
  prefix: () => keyringRowKey(''),
  place: ({ companyId }, keyringId) => ({ companyId, keyringId }),
};

const OF_KEYRINGS = ['keyring', 'companykey', 'keptkey'];

/** The keyring that a row is, or holds a key of, by the row's key; undefined for other kinds of rows. */
export function keyringOfRow(rowKey: string): string | undefined {
  const [kind = '', keyringId = ''] = rowKey.split('|');
  return OF_KEYRINGS.includes(kind) ? keyringId : undefined;
}
