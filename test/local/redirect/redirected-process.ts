// Run by the redirect's test under `--import preload.ts`: asks what it is told to in a process of its own, since a
// redirect cannot be taken back. Writes one JSON line of what each way of connecting met.
import dns from 'node:dns';
import { lookup as namedLookup } from 'node:dns/promises';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { installRedirect } from '../../../local/redirect/install-redirect.ts';
import type { RedirectTable } from '../../../local/redirect/redirect-table.ts';

const LATER_TABLE = 'KEYSWITCH_TEST_LATER_TABLE';

type Probe = (host: string) => Promise<string>;

const PROBES: Readonly<Record<string, Probe>> = {
  fetch: async (host) => await (await fetch(`https://${host}/path`)).text(),
  https: (host) =>
    new Promise((resolve, reject) => {
      https
        .get(`https://${host}/path`, (response) => {
          response.setEncoding('utf8').on('data', resolve);
        })
        .on('error', reject);
    }),
  tls5671: (host) =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({ host, port: 5671, servername: host }, () => {
        socket.setEncoding('utf8').on('data', resolve);
      });
      socket.on('error', reject);
    }),
  net: (host) =>
    new Promise((resolve, reject) => {
      const socket = net.connect(80, host, () => resolve('connected'));
      socket.on('error', reject);
    }),
  lookup: (host) =>
    new Promise((resolve, reject) => {
      dns.lookup(host, { all: true }, (error, found) => (error ? reject(error) : resolve(JSON.stringify(found))));
    }),
  lookupPromise: async (host) => (await namedLookup(host)).address,
  redirectTo: () => {
    installRedirect(JSON.parse(process.env[LATER_TABLE] ?? '') as RedirectTable);
    return Promise.resolve('redirected');
  },
  aliases: async (host) => (await dns.promises.resolveCname(host)).join(),
  resolve: async (host) => (await dns.promises.resolve4(host)).join(),
};

async function ask(question: string): Promise<{ answer?: string | undefined; code?: string; message?: string }> {
  const [probe = '', host = ''] = question.split(' ');
  try {
    return { answer: await PROBES[probe]?.(host) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
    return { code: String(Reflect.get(cause, 'code')), message: cause.message };
  }
}

const answers = [];
for (const question of process.argv.slice(2)) answers.push(await ask(question));
process.stdout.write(JSON.stringify(answers));
process.exit();
