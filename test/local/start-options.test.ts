import { expect, test } from 'vitest';
import { readStartOptions, USAGE } from '../../local/start-options.ts';

const read = (...args: string[]): ReturnType<typeof readStartOptions> =>
  readStartOptions(args, { directory: '.local' });

test('nothing asked for is one host, on any free port, with its files in the usual place', () => {
  expect(read()).toEqual({ hosts: 1, port: 0, directory: '.local', fresh: false });
  expect(read('--port', '7071', '--hosts', '2', '--bundle', 'dist', '--directory', 'x', '--fresh')).toEqual({
    fresh: true,
    hosts: 2,
    port: 7071,
    bundle: 'dist',
    directory: 'x',
  });
});

test.each([
  ['--hosts', '0'],
  ['--hosts', 'many'],
  ['--hosts', '9'],
  ['--port', '65536'],
  ['--port', 'abc'],
  ['--port', '1e3'],
])('%s %s is refused by its name and range', (option, value) => {
  expect(() => read(option, value)).toThrow(new RegExp(`^${option} takes a whole number from [01] to [0-9]+$`));
});

test('an option that there is not is refused, and --help names those that there are', () => {
  expect(() => read('--prot', '7071')).toThrow('--prot');
  expect(read('--help', '--port', 'x')).toBe('help');
  for (const option of ['--port', '--hosts', '--directory', '--bundle', '--fresh']) expect(USAGE).toContain(option);
});
