// `npm run model -- shards=2 workers=2 writerCarriesShard=off`: explores the protocol within the given bounds, and prints the
// shortest way to a lost key if there is one.
import { explore } from './explore.ts';
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
const safe: Record<string, boolean> = { ...SAFE };
for (const argument of process.argv.slice(2)) {
  const [name = '', value = ''] = argument.split('=');
  if (name in safe && value === 'off') safe[name] = false;
  else if (name in bounds && /^\d+$/.test(value)) bounds[name as keyof typeof bounds] = Number(value);
  else {
    process.stderr.write(`not understood: ${argument}\nbounds: ${Object.keys(bounds).join(', ')}\n`);
    process.stderr.write(`safeguards (=off): ${Object.keys(SAFE).join(', ')}\n`);
    process.exit(2);
  }
}
const found = explore(protocolModel(bounds, { ...SAFE, ...safe }), bounds.states);
if (found.outcome === 'fault') {
  process.stdout.write(`${found.trace.map((line) => `  ${line}`).join('\n')}\n${found.fault}\n`);
  process.exitCode = 1;
}
process.stdout.write(`${found.outcome}: ${found.states} states\n`);
