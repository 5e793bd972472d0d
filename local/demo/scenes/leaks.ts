// Scene 9: no data key, no token and nothing that admits a browser is anywhere in what the product wrote: rows, messages, dead letters, logs. Canaries planted in
// the same places must be found first, or the search would prove nothing.
import { randomBytes } from 'node:crypto';
import { ServiceBusClient } from '@azure/service-bus';
import { CanaryScan, tokenSecret, type Finding, type Secret, type Trace } from '../../canary-scan.ts';
import { WORK_QUEUE } from '../../environment/app-environment.ts';
import { GOOGLE_CLIENT_SECRET, SERVICE_BUS_HOST } from '../../identities.ts';
import { ADMISSION_KINDS } from '../admissions.ts';
import type { Demo } from '../demo.ts';
import type { KeyBook } from '../key-book.ts';
import type { QueueWatch } from '../queue-watch.ts';
import { dumpTables, openTable, type DumpedRow } from '../table-dump.ts';
import { count, megabytes, number, seconds } from '../words.ts';

const CANARY = 'the canary';
const CANARY_PARTITION = 'canary';
const AN_HOUR_MS = 3_600_000;

export async function leaks(
  demo: Demo,
  written: { readonly books: readonly KeyBook[]; readonly messages: QueueWatch },
): Promise<void> {
  const { screen } = demo;
  screen.section('9  No key and no token where none belongs');
  const begun = Date.now();
  const canary = randomBytes(32);
  const removeCanaries = await plantCanaries(demo, canary);
  const keysAndTokens = [...keySecrets(written.books), ...tokenSecrets(demo)];
  const ofSignIns = signInSecrets(demo);
  const scan = new CanaryScan([{ name: CANARY, bytes: canary }, ...keysAndTokens, ...ofSignIns]);
  const findings: Finding[] = [];
  let traces = 0;
  let bytes = 0;
  for await (const trace of tracesOf(demo, await written.messages.stop(), canary)) {
    traces += 1;
    bytes += trace.bytes.length;
    findings.push(...scan.findIn(trace));
  }
  await removeCanaries();
  const places = PLACES.filter((place) =>
    findings.some(({ secret, where }) => secret === CANARY && where.startsWith(place)),
  );
  demo.check(
    places.length === PLACES.length,
    `A canary planted in a row, a message and a log line, each in another form, is found in all three.`,
    `The canary was found only in: ${places.join(', ') || 'nothing'}`,
  );
  const leaked = findings.filter(({ secret }) => secret !== CANARY);
  const [first] = leaked;
  const missing = ADMISSION_KINDS.find((kind) => !ofSignIns.some(({ name }) => name === kind));
  demo.check(
    first === undefined && missing === undefined,
    `None of ${number(keysAndTokens.length)} data keys and tokens, none of ${number(ofSignIns.length)} links, states, cookies and codes ` +
      `of sign-ins, and nothing that looks like a token, is in any of ${number(traces)} rows, messages and log lines ` +
      `(${megabytes(bytes)}), raw, in hex, base64 or base64url. Searched in ${seconds(Date.now() - begun)}.`,
    first
      ? `${count(leaked.length, 'secret')} found: ${first.secret} (${first.form}) in ${first.where}`
      : `There was nothing to look for: ${missing ?? ''}`,
  );
}

const PLACES = ['row ', 'message ', 'log '] as const;

function keySecrets(books: readonly KeyBook[]): Secret[] {
  return books.flatMap((book) =>
    Array.from({ length: book.count }, (_, index) => ({
      name: `data key ${book.keyId(index)}`,
      bytes: book.plaintext(index),
    })),
  );
}

function tokenSecrets({ environment }: Demo): Secret[] {
  const { companyAdmins, ...roles } = environment.tokens;
  const tokens = Object.entries({ ...roles, ...companyAdmins });
  return tokens.map(([name, token]) => tokenSecret(`the bearer token of ${name}`, token));
}

/** What people's browsers were admitted by, and what the product shows Google. */
const signInSecrets = ({ admissions }: Demo): Secret[] => [
  ...admissions.secrets,
  { name: 'the client secret at Google', bytes: Buffer.from(GOOGLE_CLIENT_SECRET) },
];

async function* tracesOf(demo: Demo, messages: readonly string[], canary: Buffer): AsyncGenerator<Trace> {
  for await (const row of dumpTables(demo.credential)) yield traceOf(row);
  for (const [index, message] of messages.entries()) yield { where: `message ${index}`, bytes: Buffer.from(message) };
  for (const { pid, lines } of demo.hosts) {
    for (const line of lines) yield { where: `log of host ${pid}`, bytes: Buffer.from(line) };
  }
  yield { where: 'log with the canary', bytes: Buffer.from(`{"event":"canary","key":"${canary.toString('hex')}"}`) };
}

function traceOf({ table, partitionKey, rowKey, cells }: DumpedRow): Trace {
  const values = [partitionKey, rowKey, ...Object.values(cells)];
  const bytes = values.map((value) => (value instanceof Uint8Array ? value : Buffer.from(`${String(value)}\n`)));
  return { where: `row ${table} ${partitionKey} ${rowKey}`, bytes: Buffer.concat(bytes) };
}

/** In a row in base64url, behind other bytes; in a message in base64. Answers how to take both away. */
async function plantCanaries({ credential }: Demo, canary: Buffer): Promise<() => Promise<void>> {
  const table = openTable(credential, 'events');
  const value = Buffer.concat([Buffer.from('k'), canary]).toString('base64url');
  await table.createEntity({ partitionKey: CANARY_PARTITION, rowKey: '1', value: JSON.stringify({ value }) });
  const bus = new ServiceBusClient(SERVICE_BUS_HOST, credential);
  const sender = bus.createSender(WORK_QUEUE);
  // Not before an hour from now: it lies in the queue, and no host ever gets it.
  const body = { key: canary.toString('base64') };
  const sequenceNumbers = await sender.scheduleMessages({ body }, new Date(Date.now() + AN_HOUR_MS));
  return async () => {
    await table.deleteEntity(CANARY_PARTITION, '1');
    await sender.cancelScheduledMessages(sequenceNumbers);
    await bus.close();
  };
}
