// `npm run mutation`: changes the product in small ways, one at a time, and looks whether a test notices. docs/mutation.md explains it.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { matchesGlob } from 'node:path/posix';
import { Stryker } from '@stryker-mutator/core';
import { fromCommandLine, readCommandLine, UsageError } from '../../scripts/command-line.ts';
import { changedFiles } from './changed-files.ts';
import { report, reportPage } from './score.ts';
import { TEXTS_FOR_PEOPLE } from './texts.ts';

const MUTATED = 'shared/{domain,store,providers,identity,operations}/**/*.ts';
/** What talks to others over sockets: tested there, too slowly for some thousand mutants. */
const NOT_MUTATED = 'shared/**/{client,credentials}/**';
/** Ignored by git, Prettier, ESLint, knip and the layers; holds copies of the tree while this runs, and the reports afterwards. */
const OUTPUT = '.local/mutation';
/** What the tests of a mutant may take, of what they take without it, and beside that: generous, for a busy machine. */
const TIMEOUT_FACTOR = 3;
const TIMEOUT_MS = 5_000;
const AT_ONCE = 2;
const MS_PER_S = 1_000;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const MUTATION = 'npm run mutation --';
const USAGE = `${MUTATION} [PATH ...] [options]

  PATH         these files, or what these globs match; without one, what changed since the branch left main
  --since REF  what changed since the merge base with REF
  --all        all of shared/ but settings, adapters and clients
  --tests GLOB against these tests only; may be given more than once
  --help       this text

Scores and survivors are written to ${OUTPUT}/report.md.
`;

const asked = fromCommandLine({ name: MUTATION, usage: USAGE }, (args) => {
  const read = readCommandLine(args, {
    options: {
      all: {},
      since: { takes: 'a commit or branch', accepts: isCommit },
      tests: { takes: 'a glob of test files' },
    },
    words: { takes: 'files or globs', min: 0, max: Number.MAX_SAFE_INTEGER },
  });
  if (read === 'help') return read;
  const ways = [read.has('all'), read.has('since'), read.words.length > 0].filter(Boolean).length;
  if (ways > 1) throw new UsageError('give one of --all, --since REF and PATH');
  return read;
});
// Where vitest.mutation.config.ts looks. The processes in which mutants are tested have it from here.
if (asked.has('tests')) process.env['MUTATION_TESTS'] = asked.values('tests').join('\n');

function isCommit(ref: string): boolean {
  return spawnSync('git', ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]).status === 0;
}

function chosen(): string[] {
  if (asked.has('all')) return [MUTATED, `!${NOT_MUTATED}`];
  if (asked.words.length > 0) return [...asked.words];
  const { base, files } = changedFiles({ root: process.cwd(), ref: asked.value('since') });
  const mutated = files.filter((file) => matchesGlob(file, MUTATED) && !matchesGlob(file, NOT_MUTATED));
  print(`changed since ${base}: ${mutated.join(', ') || 'nothing'}`);
  return mutated;
}

async function run(mutate: readonly string[]): Promise<void> {
  const startedMs = Date.now();
  const results = await new Stryker({
    mutate: [...mutate],
    plugins: [import.meta.resolve('@stryker-mutator/vitest-runner'), './test/mutation/texts.ts'],
    ignorers: [TEXTS_FOR_PEOPLE],
    testRunner: 'vitest',
    vitest: { configFile: 'vitest.mutation.config.ts', related: false },
    coverageAnalysis: 'perTest',
    ignoreStatic: true,
    concurrency: AT_ONCE,
    timeoutFactor: TIMEOUT_FACTOR,
    timeoutMS: TIMEOUT_MS,
    checkers: [],
    disableTypeChecks: false,
    ignorePatterns: ['/.local', '/dist', '/coverage', '/bench/results'],
    tempDirName: `${OUTPUT}/sandboxes`,
    cleanTempDir: 'always',
    reporters: ['progress-append-only', 'html', 'json'],
    htmlReporter: { fileName: `${OUTPUT}/report.html` },
    jsonReporter: { fileName: `${OUTPUT}/report.json` },
    thresholds: { high: 100, low: 100, break: null },
  }).runMutationTest();
  const mutants = results.map((mutant) => ({ ...mutant, fileName: relative(process.cwd(), mutant.fileName) }));
  for (const line of report(mutants)) print(line);
  writeFileSync(`${OUTPUT}/report.md`, reportPage(mutants, `Mutants of ${new Date().toISOString()}`));
  print(
    `took ${Math.round((Date.now() - startedMs) / MS_PER_S)} s; ${OUTPUT}/report.md has scores and survivors, report.html each mutant`,
  );
}

const files = chosen();
if (files.length > 0) await run(files);
