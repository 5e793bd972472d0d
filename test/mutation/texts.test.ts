import { expect, test } from 'vitest';
import { strykerPlugins } from './texts.ts';

const isLeftAlone = (node: Parameters<(typeof strykerPlugins)[0]['value']['shouldIgnore']>[0]['node']): boolean =>
  strykerPlugins.some(({ value }) => value.shouldIgnore({ node }) !== undefined);

const template = (...raws: readonly string[]): Parameters<typeof isLeftAlone>[0] => ({
  type: 'TemplateLiteral',
  quasis: raws.map((raw) => ({ value: { raw } })),
});

test('a sentence is left alone, with gaps too', () => {
  expect(isLeftAlone({ type: 'StringLiteral', value: 'It is empty.' })).toBe(true);
  expect(isLeftAlone(template('the vault ', ''))).toBe(true);
});

test('a word, a key and a separator are mutated', () => {
  for (const value of ['live', '!quarantine|', '', ' ', '\n']) {
    expect(isLeftAlone({ type: 'StringLiteral', value })).toBe(false);
  }
  expect(isLeftAlone(template('keyring|', ''))).toBe(false);
});

test('what is no text is mutated', () => {
  expect(isLeftAlone({ type: 'BinaryExpression' })).toBe(false);
});
