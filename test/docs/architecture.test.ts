// docs/architecture.md against the code where it states a number, and its glossary against the words that the field has.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../functions/http/kernel/body.ts';
import { SLICE_MS } from '../../shared/store/agenda-walk.ts';
import { MAX_KEYS_PER_CALL } from '../../shared/operations/data-keys/unwrap.ts';
import { PAGE_ROWS } from '../../shared/operations/switches/page-reader.ts';
import { readPage, ROOT, sections, tableRows } from './markdown.ts';

const page = readPage('docs/architecture.md');
const text = page.replaceAll(/\s+/g, ' ');
const bodyOf = (heading: string): string => sections(page, 2).find(({ title }) => title === heading)?.body ?? '';

const KIB = 1024;
const SECOND_MS = 1_000;

/** A number that a file keeps to itself. Fails where it is not there. */
function numberIn(path: string, name: string): number {
  const source = readFileSync(new URL(path, ROOT), 'utf8');
  const factors = new RegExp(`^const ${name} = ([\\d_.*/ ]+);$`, 'm')
    .exec(source)?.[1]
    ?.replaceAll('_', '')
    .split(' * ');
  return (factors ?? [Number.NaN]).map(Number).reduce((product, factor) => product * factor, 1);
}

const UNIT_LIMIT = 'functions/http/kernel/unit-limit.ts';
const TABLES = 'shared/adapters/azure-tables.ts';
const TOKENS = 'shared/identity/client/token-verifier.ts';

test.each<[sentence: RegExp, numbers: () => readonly number[]]>([
  [
    /begins with places for (\d+) .*? up to (\d+), once/,
    () => [numberIn(UNIT_LIMIT, 'FIRST_UNITS'), numberIn(UNIT_LIMIT, 'MAX_UNITS')],
  ],
  [/a page of a pass has (\d+) rows/, () => [PAGE_ROWS]],
  [/bodies (\d+) MiB/, () => [MAX_BODY_BYTES / KIB / KIB]],
  [
    /vault answers (\d+) KiB/,
    () => [numberIn('shared/providers/azure-key-vault/client/vault-pool.ts', 'MAX_ANSWER_BYTES') / KIB],
  ],
  [/batches ([\d,]+) keys/, () => [MAX_KEYS_PER_CALL]],
  [/a table ([\d.]+) s,/, () => [(numberIn(TABLES, 'TIMEOUT_MS') * numberIn(TABLES, 'WHOLE_CALL')) / SECOND_MS]],
  [/the work queue ([\d.]+) s,/, () => [numberIn('shared/adapters/service-bus-queue.ts', 'LIMIT_MS') / SECOND_MS]],
  [/callers' key sets ([\d.]+) s,/, () => [numberIn(TOKENS, 'JWKS_TIMEOUT_MS') / SECOND_MS]],
  [/: (\d+) seconds for each job/, () => [SLICE_MS / SECOND_MS]],
  [
    /at most (\d+) messages of a company wait for vaults at once/,
    () => [numberIn('shared/operations/switches/vault-permits.ts', 'PERMITS_OF_A_COMPANY')],
  ],
])('what it says by %s is so', (sentence, numbers) => {
  const said = sentence
    .exec(text)
    ?.slice(1)
    .map((number) => Number(number.replaceAll(',', '')));
  expect(said).toEqual(numbers());
});

test('the timers come as often as it says', () => {
  const often = Object.fromEntries(
    tableRows(bodyOf('Timers')).map(([timer = '', byDefault = '']) => [timer, byDefault]),
  );
  const defaults = [
    ...readFileSync(new URL('shared/settings.ts', ROOT), 'utf8').matchAll(
      /KEYSWITCH_(\w+)_SCHEDULE: schedule\.default\('([^']+)'\)/g,
    ),
  ];
  const IN_WORDS: Readonly<Record<string, RegExp>> = {
    'every minute': /^\d+ \* \* \* \* \*$/,
    'every 5 minutes': /^\d+ \*\/5 \* \* \* \*$/,
    'every hour': /^\d+ \d+ \* \* \* \*$/,
  };
  const schedules = Object.fromEntries(defaults.map(([, name = '', schedule = '']) => [name, schedule]));
  expect(schedules['SWEEP']).toMatch(IN_WORDS[often['`sweep`'] ?? ''] ?? /^never/);
  expect(schedules['CHECK']).toMatch(IN_WORDS[often['`vault-checks`'] ?? ''] ?? /^never/);
  expect(schedules['AUDIT']).toMatch(IN_WORDS[often['`audit`'] ?? ''] ?? /^never/);
});

test('the glossary says what the field calls each word of ours', () => {
  const fieldWords = new Map(tableRows(bodyOf('Words')).map(([word = '', , field = '']) => [word, field]));
  expect(fieldWords.get('company key')).toContain('branch key');
  expect(fieldWords.get('generation')).toContain('fencing token');
  expect(fieldWords.get('re-protection')).toBe('rewrap');
  expect(fieldWords.get('seal')).toBe('row signature');
  expect(fieldWords.get('keyring')).toContain('not the AWS keyring');
  expect([...fieldWords].filter(([, field]) => field === '').map(([word]) => word)).toEqual([]);
});
