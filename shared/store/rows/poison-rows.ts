// Rows about messages that cannot be worked on. Pure. They belong to no company.
import { count, text, type Cells } from './cells.ts';
import type { Row, Rows } from './row.ts';
import {
  POISON_COUNT_ROW_KEY,
  POISON_SLOT_PREFIX,
  poisonRowKey,
  poisonSlotRowKey,
  SYSTEM_PARTITION,
} from './row-keys.ts';

const FORMAT = 1;

/** The act of recording one belongs to no company. */
export const POISON_COMPANY = SYSTEM_PARTITION;

export interface Poison {
  readonly reason: string;
  readonly hash: string;
  readonly messageId: string;
  /** ISO 8601. */
  readonly at: string;
}

export const poisonRow: Row<{ readonly hash: string }, Poison> = {
  table: 'companies',
  partition: () => SYSTEM_PARTITION,
  key: ({ hash }) => poisonRowKey(hash),
  cells: ({ reason, hash, messageId, at }) => ({ format: FORMAT, reason, hash, messageId, at }),
  read: (cells, { hash }) => ({
    reason: text(cells, 'reason') ?? '',
    hash,
    messageId: text(cells, 'messageId') ?? '',
    at: text(cells, 'at') ?? '',
  }),
};

export const poisonRows: Rows<object, { readonly hash: string }, Poison> = {
  row: poisonRow,
  partition: () => SYSTEM_PARTITION,
  prefix: () => poisonRowKey(''),
  place: (_all, hash) => ({ hash }),
};

interface SlotPlace {
  readonly slot: number;
}

/** Each recorded poison message takes one of the day's slots; the row holds the day, `2026-01-31`. */
export const poisonSlotRow: Row<SlotPlace, string> = {
  table: 'companies',
  partition: () => SYSTEM_PARTITION,
  key: ({ slot }) => poisonSlotRowKey(slot),
  cells: (day) => ({ format: FORMAT, day }),
  read: dayOf,
};

export const poisonSlots: Rows<object, SlotPlace, string> = {
  row: poisonSlotRow,
  partition: () => SYSTEM_PARTITION,
  prefix: () => POISON_SLOT_PREFIX,
  place: (_all, slot) => ({ slot: Number(slot) }),
};

/** How many messages of a day found no free slot. */
export interface PoisonCount {
  readonly day: string;
  readonly notRecorded: number;
}

export const poisonCountRow: Row<object, PoisonCount> = {
  table: 'companies',
  partition: () => SYSTEM_PARTITION,
  key: () => POISON_COUNT_ROW_KEY,
  cells: ({ day, notRecorded }) => ({ format: FORMAT, day, notRecorded }),
  read: (cells) => ({ day: dayOf(cells), notRecorded: count(cells, 'notRecorded') ?? 0 }),
};

function dayOf(cells: Cells): string {
  return text(cells, 'day') ?? '';
}
