// Before a command of package.json: says in one sentence what is missing, on whatever Node there is. With a script, goes on with it.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Runs TypeScript as it is, and has all that the scripts use. */
const NEEDED = [24, 5];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [major, minor] = process.versions.node.split('.').map(Number);
const isOld = major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1]);

if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
  stop('Run npm ci first: what this needs is not installed yet.');
}
if (isOld) {
  stop(
    `This is Node ${process.versions.node}, and ${NEEDED.join('.')} or later is needed: npm run finds the one that npm ci installs, except on Apple silicon, where you install it.`,
  );
}
const [script] = process.argv.splice(2, 1);
if (script !== undefined) {
  process.argv[1] = join(root, script);
  await import(pathToFileURL(process.argv[1]).href);
}

function stop(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
