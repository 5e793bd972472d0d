// `npm run model -- shards=2 workers=2 writerCarriesShard=off`: explores the protocol within the given bounds, and prints the
// shortest way to a lost key if there is one.
// `npm run model -- keeping`: all that is expected of kept keys, torn copies and counts. `npm run model -- keeping restore`: those whose
// title has that word, with the shortest way to each fault.
import { fromCommandLine, readCommandLine, UsageError } from '../../scripts/command-line.ts';
import { explore, type Exploration } from './explore.ts';
import { KEEPING_SUITE } from './keeping-suite.ts';
import { protocolModel, SAFE, type Bounds } from './protocol.ts';

const bounds: Record<keyof Bounds, number> & { states: number } = {
  shards: 2,
  workers: 2,
  committers: 1,
  writers: 1,
  preparers: 1,
  switches: 1,
  cancels: 1,
  forwards: 0,
  pauses: 0,
  deletions: 0,
  wrongWraps: 0,
  tamperings: 0,
  readers: 0,
  states: 6_000_000,
};
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const MODEL = 'npm run model --';
const USAGE = `${MODEL} [NAME=VALUE ...], or: ${MODEL} keeping [WORDS]

  NAME=N     a bound: ${Object.keys(bounds).join(', ')}
  NAME=off   a safeguard that is left out: ${Object.keys(SAFE).join(', ')}
  keeping    all that is expected of kept keys, torn copies and counts; with WORDS, those whose title has them
  --help     this text
`;

const safe: Record<string, boolean> = { ...SAFE };
const { words } = fromCommandLine({ name: MODEL, usage: USAGE }, (args) => {
  const max = Number.MAX_SAFE_INTEGER;
  const read = readCommandLine(args, { options: {}, words: { takes: 'NAME=VALUE', min: 0, max } });
  if (read !== 'help' && read.words[0] !== 'keeping') for (const word of read.words) take(word);
  return read;
});
const [first, ...rest] = words;
if (first === 'keeping') runKeeping(rest.join(' '));
else runProtocol();

function printFault(found: Exploration): void {
  if (found.outcome !== 'fault') return;
  for (const line of found.trace) print(`    ${line}`);
  print(`  ${found.fault}`);
}

function runKeeping(words: string): void {
  const chosen = KEEPING_SUITE.filter(({ title }) => title.includes(words));
  for (const { title, outcome, states, run } of chosen) {
    const found = run();
    const isMet = found.outcome === outcome && found.states === states;
    print(`${isMet ? 'ok ' : 'NOT'} ${found.outcome} ${String(found.states).padStart(7)} ${title}`);
    if (words !== '' || !isMet) printFault(found);
    if (!isMet) process.exitCode = 1;
  }
  if (chosen.length === 0) process.exitCode = 2;
}

function runProtocol(): void {
  const found = explore(protocolModel(bounds, { ...SAFE, ...safe }), bounds.states);
  printFault(found);
  if (found.outcome === 'fault') process.exitCode = 1;
  print(`${found.outcome}: ${found.states} states`);
}

function take(word: string): void {
  const [name = '', value = ''] = word.split('=');
  if (name in safe && value === 'off') safe[name] = false;
  else if (name in bounds && /^\d{1,9}$/.test(value)) bounds[name as keyof typeof bounds] = Number(value);
  else if (name in safe) throw new UsageError(`${name} takes off`);
  else if (name in bounds) throw new UsageError(`${name} takes a whole number`);
  else throw new UsageError(`'${word}' names no bound and no safeguard`);
}
