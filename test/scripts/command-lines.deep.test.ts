// Every command of the project: what cannot be done with its options is told in one sentence, before anything is done.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> };

interface Case {
  readonly args: string;
  readonly sentence: RegExp;
}

/** Beside an unknown option, which is tried on all. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  start: [
    { args: '--port', sentence: /^--port takes a whole number from 0 to 65535: / },
    { args: '--port 65536', sentence: /^--port takes / },
    { args: '--port --fresh', sentence: /^--port takes / },
    { args: '--hosts 9', sentence: /^--hosts takes a whole number from 1 to 8: / },
    { args: '--fresh=yes', sentence: /^--fresh takes no value: / },
    { args: '--port 1 --port 0x', sentence: /^--port takes / },
    { args: '7071', sentence: /^'7071' is no option, and nothing else is taken: / },
    {
      args: '--directory README.md',
      sentence: /^--directory takes a folder that can be written to, and README\.md is none /,
    },
    { args: '--directory README.md/x', sentence: /^--directory takes a folder that can be written to, / },
    { args: '--directory /proc/x/y', sentence: /^--directory takes a folder that can be written to, / },
    { args: '--bundle docs', sentence: /^--bundle takes a folder that npm run build has made, and docs is none: / },
  ],
  demo: [
    { args: '--keys 99', sentence: /^--keys takes a whole number from 100 to 1000000: / },
    { args: '--dir', sentence: /^--dir takes a folder that is there: / },
    { args: '--dir README.md', sentence: /^--dir takes a folder that is there, and README\.md is none: / },
    { args: '--break it', sentence: /^--break takes one of row, file, leak in the chapter switch: / },
    { args: '--short=1', sentence: /^--short takes no value: / },
  ],
  'sign-in': [
    { args: '', sentence: /^give one link: / },
    { args: 'https://a.example', sentence: /^say who opens the link by --as PERSON: / },
    { args: 'https://a.example --as', sentence: /^--as takes the name of a person: / },
    { args: 'a.example --as x', sentence: /^'a\.example' is no link: / },
  ],
  recover: [
    { args: '', sentence: /^name the file of the export by --export FILE: / },
    { args: '--export', sentence: /^--export takes the file of the export: / },
    { args: '--export a --keys b', sentence: /^give either --private-key FILE or --passphrase-file FILE: / },
    { args: 'secret', sentence: /^what stands there without an option is not understood: / },
    { args: '--Secret123', sentence: /^argument 1 is no option here, only / },
  ],
  bench: [
    { args: '', sentence: /^give one benchmark: reprotect-null, / },
    { args: 'nothing', sentence: /^'nothing' is no benchmark, only / },
    { args: 'unwrap-http --pairs x', sentence: /^--pairs takes a whole number from / },
    { args: 'unwrap-http --keys 0', sentence: /^--keys takes a whole number from 1 to / },
  ],
  simulate: [
    { args: '--seed', sentence: /^--seed takes a whole number from 1 to / },
    { args: '--seeds 0', sentence: /^--seeds takes / },
    { args: '--trace', sentence: /^--trace goes with --seed N only: / },
  ],
  model: [
    { args: 'shards=x', sentence: /^shards takes a whole number: / },
    { args: 'doors=1', sentence: /^'doors=1' names no bound and no safeguard: / },
  ],
  mutation: [
    { args: '--since', sentence: /^--since takes a commit or branch: / },
    { args: '--since no-such-branch', sentence: /^--since takes a commit or branch: / },
    { args: '--all shared/domain', sentence: /^give one of --all, --since REF and PATH: / },
  ],
  test: [{ args: '--counts', sentence: /^--counts takes the file to be written: / }],
  'test:deep': [{ args: '--browser', sentence: /^give one of --deep and --browser: / }],
  'test:browser': [{ args: '-x', sentence: /^there is no option -x, only / }],
  'test:luck': [
    { args: '--times 0', sentence: /^--times takes a whole number from 1 to 10000: / },
    { args: '--machine fast', sentence: /^--machine takes one of quiet, busy, / },
  ],
  build: [
    { args: '--recover', sentence: /^--recover takes the file to be written, FILE\.mjs: / },
    { args: '--recover README.md', sentence: /^--recover takes / },
    { args: '--cli README.md', sentence: /^--cli takes / },
    { args: 'now', sentence: /^'now' is no option, and nothing else is taken: / },
  ],
};

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(program: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

/** As npm would. */
async function runCommand(name: string, args: string): Promise<Ended> {
  const [, ...line] = `${scripts[name] ?? ''} ${args}`.split(' ').filter((word) => word !== '');
  return await run(process.execPath, line);
}

/** But for the command line of the product, which test/cli tries. */
const own = Object.entries(scripts).filter(([name, line]) => /^node [^&]*\.ts( |$)/.test(line) && name !== 'keyswitch');

test("each command that is the project's own is tried", () => {
  expect(own.map(([name]) => name).sort()).toEqual(Object.keys(CASES).sort());
});

describe.each(own.map(([name]) => name))('%s', (name) => {
  const unknown = { args: '--no-such-option', sentence: /^there is no option --no-such-option, only --help/ };
  test.each([unknown, ...(CASES[name] ?? [])])('$args', async ({ args, sentence }) => {
    const { code, out, err } = await runCommand(name, args);
    expect([code, out, err]).toEqual([2, '', expect.stringMatching(sentence)]);
    expect(err).toMatch(/^[^\n]+: see npm [^\n]+ --help\n$/);
  });

  test('--help', async () => {
    const { code, out, err } = await runCommand(name, '--help');
    expect([code, out, err]).toEqual([0, expect.stringMatching(/^npm .*\n[^]*--help/), '']);
  });
});

test.each(['local/walk.sh', '.ci/run'])('%s takes no options, and says so', async (file) => {
  const { code, out, err } = await run('bash', [file, '--fast']);
  expect([code, out, err]).toEqual([
    2,
    '',
    expect.stringMatching(/^\S+ takes no options, and --fast is one too many[^\n]*\n$/),
  ]);
});
