// `npm run recover -- --export FILE --keys FILE --private-key FILE`: opens the wrapped data keys of a dump with an exported company key, on a
// machine that has nothing else: no Azure, no network, no settings. Secrets go to --out or to stdout, what is to be said to stderr.
import { fromCommandLine } from './command-line.ts';
import { readExport, type ExportSource } from './recover/read-export.ts';
import { Dump } from './recover/read-dump.ts';
import { openWrapped } from './recover/open-wrapped.ts';
import { KeyOutput } from './recover/key-output.ts';
import { RecoveryRefused } from './recover/refused.ts';
import { readRecoverOptions, RECOVER, RECOVER_USAGE, type RecoverOptions } from './recover/options.ts';

const SOME_NOT_OPENED = 1;
const NOTHING_DONE = 2;

const options = fromCommandLine({ name: RECOVER, usage: RECOVER_USAGE, takesPaths: true }, readRecoverOptions);
try {
  process.exitCode = await recover(options);
} catch (error) {
  // Any other error may have what it stumbled over in its message.
  tell(error instanceof RecoveryRefused ? error.message : `This is a fault of the program: ${nameOf(error)}`);
  process.exitCode = NOTHING_DONE;
}

async function recover({ keysFile, outFile, ...source }: RecoverOptions & ExportSource): Promise<number> {
  const content = await readExport(source);
  const { companyId, keyringId, versions, madeAt } = content;
  const held = versions.map(({ version }) => version).join(', ');
  tell(`Export of company '${companyId}', keyring '${keyringId}', made ${madeAt}, with company key ${held}.`);
  const output = new KeyOutput(outFile);
  const dump = new Dump(keysFile);
  let opened = 0;
  let closed = 0;
  try {
    for await (const entry of dump.entries()) {
      const result = openWrapped(content, entry);
      if (result.ok) {
        opened += 1;
        output.write(result.value);
      } else {
        closed += 1;
        tell(`Not opened: ${result.error}.`);
      }
    }
  } finally {
    output.close();
  }
  tell(`${opened} of ${opened + closed} data keys opened.`);
  if (dump.lacksLastPage) tell('There are more data keys than these: the nextLink of the last page was not followed.');
  // A dump without keys is more likely another file than an empty keyring.
  return closed > 0 || opened === 0 || dump.lacksLastPage ? SOME_NOT_OPENED : 0;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'no Error';
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
