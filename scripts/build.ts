// `npm run build`: the deployable app in dist/, or one program for other machines as one file.
import { buildApp, buildProgram } from './build-bundle.ts';
import { fromCommandLine, readCommandLine, UsageError } from './command-line.ts';

const BUILD = 'npm run build --';
const USAGE = `${BUILD} [options]

  --cli FILE      write the command line keyswitch as one file in place of the app, for any Node from 20 on: node FILE --help
  --recover FILE  write npm run recover as one file in place of the app: node FILE takes the same options, with any Node from 20 on
  --help          this text
`;

const aFile = { takes: 'the file to be written, FILE.mjs', accepts: (file: string) => file.endsWith('.mjs') };
const line = fromCommandLine({ name: BUILD, usage: USAGE, takesPaths: true }, (args) =>
  readCommandLine(args, { options: { cli: aFile, recover: aFile } }),
);
const [cli, recover] = [line.value('cli'), line.value('recover')];
try {
  if (cli !== undefined) await buildProgram('cli', cli);
  if (recover !== undefined) await buildProgram('recover', recover);
  if (cli === undefined && recover === undefined) await buildApp();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
