// `.local/environment.json`: every address, id and token of the run that is up, for people and scripts. It opens
// nothing beyond this machine, yet holds tokens: only its owner may read it, and it goes when the run ends.
import { readFile, rm, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import type { Environment } from '../environment.ts';
import * as identities from '../identities.ts';
import { REDIRECT_VARIABLE } from '../redirect/redirect-table.ts';
import { DATA_TENANTS } from './persons.ts';

const ANSWER_MS = 2_000;
const written = z.object({ apiUrl: z.string(), controlUrls: z.object({ entra: z.string() }) });

/** The API of the run that wrote this file, if it is still up; a run that was killed leaves its file behind. */
export async function runningApi(file: string): Promise<string | undefined> {
  try {
    const { apiUrl, controlUrls } = written.parse(JSON.parse(await readFile(file, 'utf8')));
    const { ok } = await fetch(`${controlUrls.entra}/jwks`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return ok ? apiUrl : undefined;
  } catch {
    // No file, none of ours, or nobody there.
    return undefined;
  }
}

/** A line of shell that reads a token from it, whatever the folder is called, on whatever Node. */
export const readingToken = (file: string): string =>
  `TOKEN=$(node -p "JSON.parse(fs.readFileSync(process.argv[1])).tokens.vendorAdmin" '${file.replaceAll("'", `'"'"'`)}')`;

export async function writeEnvironmentFile(file: string, environment: Environment): Promise<void> {
  const { customers, persons, settings, googleSettings, redirect, hosts, tokens } = environment;
  const ids = Object.fromEntries(Object.entries(identities).filter(([, value]) => typeof value !== 'function'));
  const content = {
    apiUrl: hosts[0] ? `${hosts[0].url}/api/v1` : undefined,
    hosts: hosts.map(({ pid, url, masterKey }) => ({ pid, url, masterKey })),
    controlUrls: {
      entra: environment.entra.url,
      google: environment.google.url,
      managedIdentity: environment.managedIdentity.url,
      keyVault: environment.keyVault.url,
      serviceBus: environment.serviceBus.url,
      tables: environment.tables.url,
    },
    tokens,
    customers,
    // Who can sign in, for `npm run sign-in -- LINK --as NAME`, and where contoso's data is.
    persons,
    dataTenants: DATA_TENANTS,
    ids,
    // For a host of one's own: these in its environment, and local/redirect/preload.ts preloaded.
    appSettings: { ...settings, ...googleSettings, [REDIRECT_VARIABLE]: JSON.stringify(redirect) },
  };
  await rm(file, { force: true });
  await writeFile(file, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
}
