import { expect, test } from 'vitest';
import { expandSettings, readServiceBusConnection } from '../../../local/functions-host/app-settings.ts';
import { IndexingError } from '../../../local/functions-host/function-errors.ts';

test('settings that a binding names are filled in', () => {
  expect(expandSettings('%A%/%B%/$DeadLetterQueue', { A: 'one', B: '' })).toBe('one//$DeadLetterQueue');
});

test.each([
  ['%MISSING%', "'%MISSING%' does not resolve to a value."],
  ['a%%', "'%%' does not resolve to a value."],
  ['%A%-%B', "The '%' at position 4 does not have a closing '%'"],
])('%s puts its function in error', (text, why) => {
  const expand = () => expandSettings(text, { A: 'one' });
  expect(expand).toThrow(IndexingError);
  expect(expand).toThrow(why);
});

test('a connection without a namespace puts its function in error, one that this host cannot make ends it', () => {
  expect(() => readServiceBusConnection('BUS', {})).toThrow(IndexingError);
  const settings = { BUS__fullyQualifiedNamespace: 'bus.example', BUS__credential: 'secret' };
  expect(() => readServiceBusConnection('BUS', settings)).not.toThrow(IndexingError);
  expect(() => readServiceBusConnection('BUS', settings)).toThrow("only 'managedidentity' is known");
});
