// `npm run test:luck -- --times 10`: the deep tests again and again, each time on another kind of machine, to find those that depend on who is
// quicker. One line for each run, and under it the first test that failed. `--machine NAME` (more than once) chooses machines; other
// arguments are files or folders, as `npm test` takes them.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromCommandLine, readCommandLine, wholeNumber } from './command-line.ts';

interface Machine {
  /** What the runner is started by, if not by itself. */
  readonly through?: readonly string[];
  /** As test/end-to-end/run.ts reads it. */
  readonly env?: Readonly<Record<string, string>>;
  readonly isBusy?: true;
}

const MACHINES: Readonly<Record<string, Machine>> = {
  quiet: {},
  busy: { isBusy: true },
  'one-core': { through: ['taskset', '-c', '0'] },
  'slow-stand-ins': { env: { KEYSWITCH_TEST_LATENCY_MS: '25' } },
  // Seen from the tests, hosts are faster if the tests come late.
  'fast-hosts': { env: { KEYSWITCH_TEST_LAG_MS: '400' } },
};
const BUSY_LOOPS_PER_CORE = 2;
const MS_PER_S = 1_000;

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const LUCK = 'npm run test:luck --';
const MAX_TIMES = 10_000;
const NAMES = Object.keys(MACHINES);
const USAGE = `${LUCK} [FILE ...] [options]

  FILE            files or folders of tests; all deep ones unless told
  --times N       how often; once unless told
  --machine NAME  one of ${NAMES.join(', ')}; may be given more than once, all of them unless told
  --help          this text
`;

const line = fromCommandLine({ name: LUCK, usage: USAGE }, (args) =>
  readCommandLine(args, {
    options: {
      times: wholeNumber(1, MAX_TIMES),
      machine: { takes: `one of ${NAMES.join(', ')}`, accepts: (name) => name in MACHINES },
    },
    words: { takes: 'files or folders', min: 0, max: Number.MAX_SAFE_INTEGER },
  }),
);
const times = Number(line.value('times') ?? 1);
const names = line.has('machine') ? line.values('machine') : NAMES;

/** Does nothing but keep a core busy, politely. */
const busyLoop = (): ChildProcess =>
  spawn('nice', [process.execPath, '-e', 'for (;;);'], { stdio: 'ignore', detached: true });

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => child.once('error', reject).once('exit', () => resolve()));

async function runOnce({ through = [], env = {}, isBusy }: Machine): Promise<Report | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'keyswitch-luck-'));
  const outputFile = join(directory, 'report.json');
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'deep', '--project', 'browser'];
  const reporter = ['--reporter', 'json', '--outputFile', outputFile];
  const [program = '', ...args] = [...through, process.execPath, ...vitest, ...reporter, ...line.words];
  const loops = isBusy ? Array.from({ length: BUSY_LOOPS_PER_CORE * availableParallelism() }, busyLoop) : [];
  try {
    const compileCache = { NODE_COMPILE_CACHE: join(directory, 'compiled') };
    await ended(spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...compileCache, ...env } }));
    return JSON.parse(await readFile(outputFile, 'utf8')) as Report;
  } catch (error) {
    console.log(`  ${String(error)}`);
    return undefined;
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}

function firstFailure({ testResults }: Report): string | undefined {
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.find((test) => test.status === 'failed');
    if (failed) return `${failed.fullName}: ${failed.failureMessages[0]?.split('\n')[0] ?? ''}`;
    if (status === 'failed') return `${name}: ${message.split('\n')[0] ?? ''}`;
  }
  return undefined;
}

for (let time = 1; time <= times; time += 1) {
  for (const name of names) {
    const beganMs = Date.now();
    const report = await runOnce(MACHINES[name] ?? {});
    const seconds = Math.round((Date.now() - beganMs) / MS_PER_S);
    const failure = report ? firstFailure(report) : 'the run broke off';
    const counts = `${report?.numPassedTests ?? 0} passed, ${report?.numFailedTests ?? 0} failed`;
    console.log(`${name} ${time}/${times}: ${counts}, ${seconds} s`);
    if (failure === undefined) continue;
    console.log(`  ${failure}`);
    process.exitCode = 1;
  }
}
