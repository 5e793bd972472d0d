// `npm run build`: the deployable app in dist/.
import { buildApp } from './build-bundle.ts';
import { fromCommandLine, readCommandLine } from './command-line.ts';

const BUILD = 'npm run build --';
fromCommandLine({ name: BUILD, usage: `${BUILD}\n\n  --help  this text; there are no options\n` }, (args) =>
  readCommandLine(args, { name: BUILD, options: {} }),
);
await buildApp();
