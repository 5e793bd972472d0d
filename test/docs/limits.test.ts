// The table of limits in docs/security.md against the numbers that the code goes by.
import { expect, test } from 'vitest';
import { BODY_LIMIT_MS, MAX_BODY_BYTES, MAX_FORM_BYTES } from '../../functions/http/kernel/body.ts';
import { pageQuery } from '../../functions/http/kernel/schemas/pages.ts';
import { MAX_DATA_KEYS_PER_KEYRING } from '../../shared/domain/keyring.ts';
import { MAX_EVENTS_PER_MINUTE, MAX_REFUSALS_PER_DAY } from '../../shared/store/event-limits.ts';
import { MAX_CALLS_PER_MINUTE, MAX_SIGN_INS_PER_MINUTE } from '../../shared/store/call-limit.ts';
import { MAX_COMPANIES_PAGE } from '../../shared/operations/companies/companies.ts';
import { MAX_KEYS_PER_CALL } from '../../shared/operations/data-keys/unwrap.ts';
import { MAX_POISON_PER_DAY } from '../../shared/operations/switches/poison.ts';
import { READINESS_TTL_MS } from '../../shared/store/readiness.ts';
import { readPage, sections, tableRows } from './markdown.ts';

const KIB = 1024;
const minutely = [MAX_CALLS_PER_MINUTE];

/** The numbers of each row, in the order in which they stand there. */
const LIMITS: Readonly<Record<string, readonly number[]>> = {
  'a body': [MAX_BODY_BYTES / KIB / KIB, MAX_FORM_BYTES / KIB, BODY_LIMIT_MS / 1_000],
  'data keys in a call': [MAX_KEYS_PER_CALL, MAX_DATA_KEYS_PER_KEYRING / 1_000_000],
  'a page': [longestPage(), MAX_COMPANIES_PAGE],
  'tests of connections': minutely,
  'links, and exports': minutely,
  'switches, retries, checks': minutely,
  'puts that cost a signature': minutely,
  'sign-ins that begin': [MAX_CALLS_PER_MINUTE, MAX_SIGN_INS_PER_MINUTE],
  'events of refusals': [MAX_EVENTS_PER_MINUTE, MAX_REFUSALS_PER_DAY],
  'poison messages': [MAX_POISON_PER_DAY],
};

function longestPage(): number {
  const isTaken = (items: number): boolean => pageQuery.safeParse({ maxpagesize: String(items) }).success;
  return [1, 10, 100, 1_000, 10_000].filter(isTaken).at(-1) ?? 0;
}

const body = sections(readPage('docs/security.md'), 2).find(({ title }) => title === 'Limits')?.body ?? '';
const told = new Map(tableRows(body).map(([of = '', limit = '']) => [of, limit]));

test.each(Object.entries(LIMITS))('%s: the limit is what the page says', (of, numbers) => {
  const said = [...(told.get(of) ?? '').matchAll(/\d[\d,]*/g)].map(([text]) => Number(text.replaceAll(',', '')));
  expect(said).toEqual(numbers);
});

test('readiness asks the store once in five seconds, as the page says', () => {
  expect([told.get('probes of readiness'), READINESS_TTL_MS]).toEqual([expect.stringContaining('five seconds'), 5_000]);
});

test('no limit of the page with a number is left out here', () => {
  const withNumber = [...told].filter(([, limit]) => /\d/.test(limit)).map(([of]) => of);
  expect(withNumber).toEqual(expect.arrayContaining(Object.keys(LIMITS)));
  // 64 KiB of an answer is held by the tests of the adapters.
  expect(withNumber.filter((of) => !(of in LIMITS))).toEqual(['an answer of a vault or Entra']);
});
