// All companies as they stand, by what an operator looks for: over the index, a page at a time, and never by a scan of companies.
import pLimit from 'p-limit';
import {
  fits,
  searchedWords,
  wordsOf,
  type CompanyStanding,
  type StandingFilter,
} from '../../domain/company-standing.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { find, listPage } from '../../store/found.ts';
import { keysBeginningWith, standingRow } from '../../store/rows/standing-rows.ts';
import type { Tables } from '../../store/tables.ts';

interface StandingPage {
  readonly value: readonly CompanyStanding[];
  /** The last key of the page, if there may be more. */
  readonly continuation?: string;
}

export const MAX_STANDINGS_PAGE = 100;
const READS_IN_FLIGHT = 16;

/** A page may be short, also empty, and not the last: one range of the index is read, and what else is asked is looked at entry by entry. */
export async function listStandings(
  deps: { readonly tables: Tables },
  input: StandingFilter & { readonly limit: number; readonly continuation?: string },
): Promise<Result<StandingPage, Refusal>> {
  const { limit, continuation, ...filter } = input;
  const begin = beginOf(filter);
  if (begin === undefined) return ok({ value: [] });
  if (continuation !== undefined && !continuation.startsWith(begin)) {
    return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this list.' });
  }
  const after = continuation === undefined ? {} : { after: { key: continuation } };
  const page = await listPage(deps.tables, keysBeginningWith(begin), {}, { limit, ...after });
  const found = await pLimit(READS_IN_FLIGHT).map([...page.rows], async ({ place: { key } }) => {
    const [by = '', value = '', companyId = value] = key.split('|');
    // The entry decides: a key may be left from before.
    const standing = (await find(deps.tables, standingRow, { companyId }))?.value;
    return standing && fits(standing, filter) && isFirstOf(standing, by, value, filter) ? standing : undefined;
  });
  const value = found.filter((one) => one !== undefined);
  return ok(page.last === undefined ? { value } : { value, continuation: page.last.key });
}

/** Where the most telling range begins; undefined if nothing can be found. */
function beginOf({ state, owner, code, q }: StandingFilter): string | undefined {
  if (code !== undefined) return `code|${code}|`;
  if (owner !== undefined) return `owner|${owner}|`;
  if (q !== undefined) {
    const [word] = searchedWords(q);
    return word === undefined ? undefined : `word|${word}`;
  }
  return state === undefined ? 'company|' : `state|${state}|`;
}

/** A company that several of its words find is told of once. */
function isFirstOf(standing: CompanyStanding, by: string, value: string, { q = '' }: StandingFilter): boolean {
  if (by !== 'word') return true;
  const [begun = ''] = searchedWords(q);
  return wordsOf(standing).find((word) => word.startsWith(begun)) === value;
}
