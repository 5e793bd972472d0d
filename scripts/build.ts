// `npm run build`: the deployable app in dist/, or with `--recover FILE` the recovery as one file.
import { buildApp, buildRecover } from './build-bundle.ts';
import { fromCommandLine, readCommandLine, UsageError } from './command-line.ts';

const BUILD = 'npm run build --';
const USAGE = `${BUILD} [options]

  --recover FILE  write npm run recover as one file in place of the app: node FILE takes the same options, with any Node from 20 on
  --help          this text
`;

const line = fromCommandLine({ name: BUILD, usage: USAGE, takesPaths: true }, (args) =>
  readCommandLine(args, {
    options: { recover: { takes: 'the file to be written, FILE.mjs', accepts: (file) => file.endsWith('.mjs') } },
  }),
);
const file = line.value('recover');
try {
  await (file === undefined ? buildApp() : buildRecover(file));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
