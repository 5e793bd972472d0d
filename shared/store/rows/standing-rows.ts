// The index of how companies stand: one row for each company, and one for each thing that it is found by. Pure. Nothing is decided by it.
import { STANDINGS, wordsOf, type CompanyStanding, type StandingCounts } from '../../domain/company-standing.ts';
import { isRecord, present } from '../../domain/plain-object.ts';
import { count, json, oneOf, optionalText, text } from './cells.ts';
import type { Row, Rows } from './row.ts';
import {
  STANDING_COUNT_PREFIX,
  STANDING_PARTITION,
  standingCountRowKey,
  standingRowKey,
  foundByRowKey,
} from './row-keys.ts';

const FORMAT = 1;

interface CompanyPlace {
  readonly companyId: string;
}

/** Undefined if it cannot be read. */
export const standingRow: Row<CompanyPlace, CompanyStanding, CompanyStanding | undefined> = {
  table: 'health',
  partition: () => STANDING_PARTITION,
  key: ({ companyId }) => standingRowKey(companyId),
  cells: ({ displayName, state, since, code, owner }) => ({
    format: FORMAT,
    displayName,
    state,
    since: since ?? '',
    code: code ?? '',
    owner: owner ?? '',
  }),
  read: (cells, { companyId }) => {
    const displayName = text(cells, 'displayName');
    const state = oneOf(cells, 'state', STANDINGS);
    if (count(cells, 'format') !== FORMAT || displayName === undefined || state === undefined) return undefined;
    const [since, code, owner] = ['since', 'code', 'owner'].map((name) => optionalText(cells, name));
    return { companyId, displayName, state, ...present({ since, code, owner }) };
  },
};

/** Of all companies, in the order of their ids. */
export const standingRows: Rows<object, CompanyPlace, CompanyStanding, CompanyStanding | undefined> = {
  row: standingRow,
  partition: () => STANDING_PARTITION,
  prefix: () => standingRowKey(''),
  place: (_all, companyId) => ({ companyId }),
};

interface SharePlace {
  readonly share: string;
}

/** Undefined if it cannot be read. */
export const standingCountRow: Row<SharePlace, StandingCounts, StandingCounts | undefined> = {
  table: 'health',
  partition: () => STANDING_PARTITION,
  key: ({ share }) => standingCountRowKey(share),
  cells: (counts) => ({ format: FORMAT, counts: JSON.stringify(counts) }),
  read: (cells) => {
    const counts = json(cells, 'counts');
    if (count(cells, 'format') !== FORMAT || !isRecord(counts)) return undefined;
    const known = STANDINGS.map((state) => [state, counts[state] ?? 0] as const);
    if (!known.every(([, many]) => typeof many === 'number' && Number.isSafeInteger(many) && many >= 0))
      return undefined;
    return Object.fromEntries(known.filter(([, many]) => many !== 0));
  },
};

export const standingCountRows: Rows<object, SharePlace, StandingCounts, StandingCounts | undefined> = {
  row: standingCountRow,
  partition: () => STANDING_PARTITION,
  prefix: () => STANDING_COUNT_PREFIX,
  place: (_all, share) => ({ share }),
};

interface KeyPlace {
  readonly key: string;
}

/** Its presence is all that it says. */
export const foundByRow: Row<KeyPlace, undefined> = {
  table: 'health',
  partition: () => STANDING_PARTITION,
  key: ({ key }) => key,
  cells: () => ({ format: FORMAT }),
  read: () => undefined,
};

/** Keys of the rows by which a company is found. */
export const foundByKeys = (standing: CompanyStanding): readonly string[] => {
  const { companyId, state, owner, code } = standing;
  const by = (what: string, value: string): string => foundByRowKey(what, value, companyId);
  return [
    by('state', state),
    ...(owner === undefined ? [] : [by('owner', owner)]),
    ...(code === undefined ? [] : [by('code', code)]),
    ...wordsOf(standing).map((word) => by('word', word)),
  ];
};

/** All rows whose key begins with these characters, of which the last is no `|` where values share a beginning. */
export const keysBeginningWith = (begin: string): Rows<object, KeyPlace, undefined> => ({
  row: foundByRow,
  partition: () => STANDING_PARTITION,
  prefix: () => '',
  range: { after: begin, before: begin.slice(0, -1) + String.fromCharCode(begin.charCodeAt(begin.length - 1) + 1) },
  place: (_all, key) => ({ key }),
});

/** How far the round of repairs has come. */
export interface StandingRound {
  readonly began: string;
  /** Row key of the last company of the index of companies that was looked at; empty when the round is over. */
  readonly after: string;
}

export const standingRoundRow: Row<object, StandingRound, StandingRound | undefined> = {
  table: 'health',
  partition: () => STANDING_PARTITION,
  key: () => 'round',
  cells: ({ began, after }) => ({ format: FORMAT, began, after }),
  read: (cells) => {
    const [began, after] = [text(cells, 'began'), text(cells, 'after')];
    return began === undefined || after === undefined ? undefined : { began, after };
  },
};
