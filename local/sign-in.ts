// `npm run sign-in -- LINK --as PERSON`: goes through the pages of a link on the running `npm start` as that person,
// prints what each page says, and presses the button that leads on. Asks nothing but what a browser would ask.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { fromCommandLine } from '../scripts/command-line.ts';
import { Browser } from './browser/browser.ts';
import type { Page } from './browser/page.ts';
import { signInAt } from './browser/sign-in-pages.ts';
import { installRedirect } from './redirect/install-redirect.ts';
import { REDIRECT_VARIABLE } from './redirect/redirect-table.ts';
import { readSignInOptions, SIGN_IN, SIGN_IN_USAGE } from './sign-in-options.ts';

const FIRST_REFUSAL = 400;
const NOTHING_DONE = 2;
const environmentFile = z.object({
  persons: z.record(z.string(), z.object({ provider: z.enum(['microsoft', 'google']), userName: z.string() })),
  appSettings: z.object({ [REDIRECT_VARIABLE]: z.string() }),
});
const redirectTable = z.object({
  caPem: z.string(),
  hosts: z.array(
    z.object({ name: z.string(), ports: z.record(z.string(), z.number()), existsUrl: z.string().exactOptional() }),
  ),
});

const options = fromCommandLine({ name: SIGN_IN, usage: SIGN_IN_USAGE, takesPaths: true }, (args) =>
  readSignInOptions(args, { directory: fileURLToPath(new URL('../.local', import.meta.url)) }),
);
const { persons, appSettings } = await readEnvironment(options.directory);
const person = persons[options.as];
if (!person) fail(`Nobody is called '${options.as}'. There are: ${Object.keys(persons).join(', ')}`);
installRedirect(redirectTable.parse(JSON.parse(appSettings[REDIRECT_VARIABLE])));
try {
  const last = await signInAt(new Browser(), options.link, person, { declines: options.decline, onPage: print });
  process.exitCode = last.status < FIRST_REFUSAL && !last.hasAlert ? 0 : 1;
} catch (error) {
  fail(`The pages end here: ${error instanceof Error ? error.message : String(error)}`);
}

async function readEnvironment(directory: string): Promise<z.infer<typeof environmentFile>> {
  const file = `${directory}/environment.json`;
  try {
    return environmentFile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return fail(`${file} cannot be read: is 'npm start' running?`);
  }
}

function print(page: Page, button: string | undefined): void {
  const { host, status, title, lines } = page;
  console.log(`\n${host} · ${title === '' ? `status ${status}` : title}`);
  for (const line of lines.filter((one) => one !== title)) console.log(`  ${line}`);
  if (lines.length === 0) console.log(`  ${page.text}`);
  if (button !== undefined) console.log(`  > ${button}`);
}

function fail(message: string): never {
  process.stderr.write(`${message.trimEnd()}\n`);
  process.exit(NOTHING_DONE);
}
