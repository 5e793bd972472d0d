// The answers of `dns.lookup` in the embedded run: loopback for the names of the table, ENOTFOUND for all others.
// Never asks a resolver.
import type { LookupAddress, LookupOptions } from 'node:dns';
import { request } from 'node:http';
import { isIP } from 'node:net';
import { findRedirectHost, isLoopback, type RedirectTable } from './redirect-table.ts';

const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 };
const ENOTFOUND_ERRNO = -3008;
const EXISTS_TIMEOUT_MS = 5_000;

/** Resolves to the one address of a host, or throws what `getaddrinfo` would. */
export async function lookupAddress(table: RedirectTable, host: string): Promise<LookupAddress> {
  const family = isIP(host);
  if (family !== 0) return { address: host, family };
  if (isLoopback(host)) return LOOPBACK;
  const entry = findRedirectHost(table, host);
  if (!entry) throw notFound(host, ' (the embedded run reaches no outside name)');
  if (entry.existsUrl !== undefined && !(await exists(`${entry.existsUrl}${host.toLowerCase()}`))) throw notFound(host);
  return LOOPBACK;
}

/** The same as it is shown to those who look a name up, and do not connect. */
export async function shownAddress(table: RedirectTable, host: string): Promise<LookupAddress> {
  const found = await lookupAddress(table, host);
  const seenAs = findRedirectHost(table, host)?.seenAs;
  return seenAs === undefined ? found : { address: seenAs, family: isIP(seenAs) };
}

/** `dns.promises.resolveCname`: no name of the table has an alias, and others do not exist. */
export async function aliasesOf(table: RedirectTable, host: string): Promise<string[]> {
  const error = await lookupAddress(table, host).then(
    () => 'ENODATA',
    (thrown: unknown) => (thrown as NodeJS.ErrnoException).code,
  );
  const code = error === 'EAI_AGAIN' ? 'ESERVFAIL' : error;
  throw Object.assign(new Error(`queryCname ${code} ${host}`), { code, syscall: 'queryCname', hostname: host });
}

type LookupCallback = (error: Error | null, address?: string | LookupAddress[], family?: number) => void;

/** A stand-in for `dns.lookup` in all its forms, by the table of the moment. */
export function lookupFunction(
  table: () => RedirectTable,
  addressOf: typeof lookupAddress,
): (host: string, options: LookupOptions | number | LookupCallback, callback?: LookupCallback) => void {
  return (host, options, callback) => {
    const done = typeof options === 'function' ? options : callback;
    if (!done) throw new TypeError('dns.lookup needs a callback');
    const all = typeof options === 'object' && options.all === true;
    addressOf(table(), host).then(
      (found) => (all ? done(null, [found]) : done(null, found.address, found.family)),
      (error: unknown) => done(error as Error),
    );
  };
}

function notFound(host: string, why = ''): Error {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}${why}`), {
    errno: ENOTFOUND_ERRNO,
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    hostname: host,
  });
}

/** A failing question is a failing resolver: EAI_AGAIN, which must not be taken for a name that does not exist. */
function exists(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const fail = (): void =>
      reject(Object.assign(new Error(`getaddrinfo EAI_AGAIN ${url}`), { code: 'EAI_AGAIN', syscall: 'getaddrinfo' }));
    const question = request(url, { agent: false, timeout: EXISTS_TIMEOUT_MS }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (part: string) => (text += part));
      response.on('error', fail);
      response.on('end', () => {
        if (response.statusCode !== 200) fail();
        else resolve((JSON.parse(text) as { exists?: unknown }).exists === true);
      });
    });
    question.on('timeout', () => question.destroy(new Error('timeout')));
    question.on('error', fail);
    question.end();
  });
}
