// The command line as a process. It ends with 0 if what was asked for is done, 1 if it was refused, 2 if the command cannot be understood.
import packageJson from '../package.json' with { type: 'json' };
import { keyswitch } from './program.ts';

// npm runs commands in the project; paths are meant from where they were typed.
const { npm_lifecycle_event: command, INIT_CWD: folder } = process.env;
if (command === 'keyswitch' && folder !== undefined) process.chdir(folder);

process.exitCode = await keyswitch(process.argv.slice(2), {
  version: packageJson.version,
  print: (text) => void process.stdout.write(text),
  tell: (text) => void process.stderr.write(text),
});
