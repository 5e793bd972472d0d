// What the pages and the sample say of defaults, against what the app takes where nothing is set.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseSettings, SETTING_NAMES } from '../../shared/settings.ts';
import { PAGES, readPage, ROOT } from './markdown.ts';

const { Values: sample } = JSON.parse(readFileSync(new URL('local.settings.sample.json', ROOT), 'utf8')) as {
  readonly Values: Readonly<Record<string, string>>;
};

/** Undefined without a default: the setting is asked for, or means nothing unless it is set. */
function defaultOf(name: string): string | undefined {
  try {
    const settings: Readonly<Record<string, unknown>> = { ...parseSettings({ ...sample, [name]: undefined }) };
    const taken = settings[name];
    if (Array.isArray(taken)) return taken.join();
    return typeof taken === 'string' || typeof taken === 'number' ? String(taken) : undefined;
  } catch {
    return undefined;
  }
}

/** `NAME` (value), or: 24 hours (`NAME`) */
const named = (page: string): readonly (readonly [name: string, value: string])[] => [
  ...[...page.matchAll(/`(KEYSWITCH_[A-Z_]+)`\s\(`?([^`)]+)`?\)/g)].map(
    ([, name = '', value = '']) => [name, value] as const,
  ),
  ...[...page.matchAll(/(\d[\d,]*) (?:seconds|hours|days)\s\(`(KEYSWITCH_[A-Z_]+)`\)/g)].map(
    ([, value = '', name = '']) => [name, value] as const,
  ),
];

test('a default that a page names beside a setting is its default', () => {
  const told = PAGES.flatMap((path) => named(readPage(path)).map(([name, value]) => ({ path, name, value })));
  expect(told.length).toBeGreaterThan(12);
  expect(told.filter(({ name, value }) => value.replaceAll(',', '') !== defaultOf(name))).toEqual([]);
});

test('the sample shows each default', () => {
  const withDefault = SETTING_NAMES.filter((name) => defaultOf(name) !== undefined);
  expect(withDefault.length).toBeGreaterThan(20);
  expect(withDefault.filter((name) => sample[name] !== defaultOf(name))).toEqual([]);
});
