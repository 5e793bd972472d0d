// After a run with switches, roll-backs, failures, poison and dead letters: no plaintext key, company key, token or secret is in any
// row, message or log line, in any of the forms in which one would be written. What is looked for is planted first, and found.
import { constants, generateKeyPairSync, privateDecrypt, randomUUID, type KeyObject } from 'node:crypto';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CanaryScan, tokenSecret, type Secret, type Trace } from '../../local/canary-scan.ts';
import { watchQueue } from '../../local/demo/queue-watch.ts';
import { dumpTables } from '../../local/demo/table-dump.ts';
import { WORK_QUEUE } from '../../local/environment/app-environment.ts';
import type { Customer } from '../../local/environment/customers.ts';
import { SERVICE_BUS_HOST } from '../../local/identities.ts';
import { COMPANY_KEY_BYTES } from '../../shared/domain/company-key.ts';
import { azure, Company } from './company.ts';
import { startRun } from './harness.ts';
import { until, type Answer, type Run } from './run.ts';
import { StoredRows } from './stored-rows.ts';

const CLIENT_SECRET = 'aaa8Q~a.client.secret.of.a.company-s.own';
const IMPORTED = 'an-imported-data-key-of-48-bytes-0123456789abcde';

let run: Run;
let rows: StoredRows;

beforeAll(async () => {
  run = await startRun({ maxDeliveryCount: 2 });
  rows = new StoredRows(run.credential);
});
afterAll(() => run.close());

async function traces(messages: readonly string[]): Promise<Trace[]> {
  const found: Trace[] = run.lines.map((line, index) => ({ where: `log line ${index}`, bytes: Buffer.from(line) }));
  for (const [index, message] of messages.entries()) {
    found.push({ where: `message ${index}`, bytes: Buffer.from(message) });
  }
  for await (const { table, partitionKey, rowKey, cells } of dumpTables(run.credential)) {
    const where = `${table} ${partitionKey} ${rowKey}`;
    found.push({ where, bytes: Buffer.from(`${partitionKey} ${rowKey}`) });
    for (const [name, cell] of Object.entries(cells)) {
      const bytes = cell instanceof Uint8Array ? Buffer.from(cell) : Buffer.from(String(cell));
      found.push({ where: `${where} ${name}`, bytes });
    }
  }
  return found;
}

/** The company keys in a company's rows that the customer's private key opens. */
async function companyKeys(companyId: string, privateKey: KeyObject): Promise<Secret[]> {
  const found: Secret[] = [];
  for (const row of await rows.companyKeys(companyId)) {
    for (const { ciphertext, host } of JSON.parse(String(row['wraps'])) as { ciphertext: string; host: string }[]) {
      if (host !== run.environment.customers.contoso.vaultHost) continue;
      const options = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
      const payload = privateDecrypt(options, Buffer.from(ciphertext, 'base64url'));
      found.push({ name: `company key ${row.rowKey ?? ''}`, bytes: payload.subarray(0, COMPANY_KEY_BYTES) });
    }
  }
  return found;
}

/** What people get wrong with a client secret, then the secret as it should be, and a test with an app that Entra does not know. */
async function clientSecretAnswers(
  path: string,
  { tenantId, vaultUri, keyName }: Pick<Customer, 'tenantId' | 'vaultUri' | 'keyName'>,
): Promise<readonly Answer<unknown>[]> {
  const put = (credential: object): ReturnType<typeof run.call> =>
    run.call('PUT', path, {
      body: {
        vaultUri,
        keyName,
        tenantId,
        credential: { kind: 'client-secret', clientId: randomUUID(), expiresAt: '2099-01-01', ...credential },
      },
    });
  const wrong = [`"${CLIENT_SECRET}"`, `Value: ${CLIENT_SECRET}`, CLIENT_SECRET.repeat(60), [CLIENT_SECRET]];
  const answers: Answer<unknown>[] = [];
  for (const clientSecret of wrong) answers.push(await put({ clientSecret }));
  answers.push(await put({ clientSecret: CLIENT_SECRET, kind: CLIENT_SECRET }));
  answers.push(await put({ clientSecret: CLIENT_SECRET, expiresAt: CLIENT_SECRET }));
  for (const { status } of answers) expect([400, 422]).toContain(status);
  const taken = await put({ clientSecret: CLIENT_SECRET });
  expect(taken.status).toBe(201);
  answers.push(
    taken,
    await run.call('POST', `${path}/test`),
    await run.call('GET', path),
    await run.call('GET', `${path}/instructions`),
  );
  return answers;
}

test('nothing secret is left behind, and what is planted is found', async () => {
  const { customers, tokens, serviceBus, keyVault, tables, settings } = run.environment;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const watch = watchQueue(serviceBus, WORK_QUEUE);
  const company = await Company.create(run, 'secretive', 200);
  await company.connect(customers.contoso, { id: 'azure', keyName: 'known-key', pem });
  const body = { keys: [{ keyId: 'imported', plaintext: Buffer.from(IMPORTED).toString('base64url') }] };
  await company.must('POST', `${company.keyring}/datakeys`, { as: 'dataKeys', body });

  // What people get wrong, with secrets in the wrong places.
  await run.call('PUT', `${company.path}/connections/wrong`, {
    body: {
      vaultUri: 'https://contoso-keys.vault.azure.net/secrets/x',
      keyName: 'k',
      credential: { kind: 'federated' },
    },
  });
  const answers = [
    ...(await clientSecretAnswers(`${company.path}/connections/own-app`, customers.contoso)),
    await run.call('POST', `${company.keyring}/datakeys`, {
      as: 'dataKeys',
      body: { keys: [{ plaintext: IMPORTED, keyId: '!' }] },
    }),
  ];
  await run.call('POST', `${company.keyring}/unwrap`, { as: 'auditor', body: { keyIds: ['imported'] } });
  await run.call('GET', company.path, { headers: { authorization: `Bearer ${tokens.dataKeys}x` } });

  // A switch that is cancelled, one in which the vault fails and a row does not open, one that dead-letters.
  // No row can be moved until the cancel is there, so that it cannot come too late.
  await tables.plant({ operation: 'batch', target: 'datakeys', effect: { status: 503 } });
  await company.order('s1', azure('azure'));
  await company.reaches('s1', ({ state }) => state === 're-protecting');
  const secrets = await companyKeys('secretive', privateKey);
  await company.must('POST', `${company.switchPath('s1')}/cancel`);
  await tables.clearFaults();
  await company.ends('s1');
  const target = `${customers.contoso.vaultHost}/known-key`;
  for (const effect of [{ status: 500 }, { status: 200, body: 'Hello!' }, { drop: 'after-acting' }] as const) {
    await keyVault.plant({ target, times: 1, effect });
  }
  const [broken = ''] = company.keys.keys();
  await rows.overwriteDataKey('secretive', broken, { blob: new Uint8Array(61) });
  await company.order('s2', azure('azure'));
  await company.reaches('s2', ({ counts }) => counts.quarantined === 1 && counts.checked >= 200);
  await company.must('POST', `${company.switchPath('s2')}/quarantine/${broken}/accept-loss`);
  expect((await company.ends('s2')).state).toBe('completed');
  expect((await company.unwrap([...company.keys.keys(), 'imported'])).status).toBe(200);
  secrets.push(...(await companyKeys('secretive', privateKey)));

  const place = { partitionKey: 'secretive|default|1', rowKey: '!shard' };
  await rows.overwrite('datakeys', place, { direction: 'sideways' });
  await run.call('POST', `${company.keyring}/rekey`, { body: {} });
  const isDeadLettered = (line: string): boolean => line.includes('dead letter');
  await until('a dead letter', () => run.lines.some(isDeadLettered));
  await run.call('GET', `${company.keyring}/switches`);

  const bus = new ServiceBusClient(SERVICE_BUS_HOST, run.credential);
  const sender = bus.createSender(WORK_QUEUE);
  const poison = { body: { keys: IMPORTED, token: tokens.vendorAdmin } };
  await sender.sendMessages(poison);
  await until('the poison', () =>
    run.lines.some((line) => line.includes('not a JSON object') || line.includes('unknown format')),
  );
  await bus.close();
  const messages = (await watch.stop()).filter((message) => !message.includes(IMPORTED));

  for (const [keyId, plaintext] of company.keys) {
    secrets.push({ name: `data key ${keyId}`, bytes: Buffer.from(plaintext, 'base64url') });
  }
  secrets.push({ name: 'the imported key', bytes: Buffer.from(IMPORTED) });
  secrets.push({ name: 'the client secret', bytes: Buffer.from(CLIENT_SECRET) });
  const { companyAdmins, ...roles } = tokens;
  for (const [name, token] of Object.entries({ ...roles, ...companyAdmins })) secrets.push(tokenSecret(name, token));
  secrets.push({ name: 'the identity header', bytes: Buffer.from(settings['IDENTITY_HEADER'] ?? '') });
  expect(secrets.length).toBeGreaterThan(200 + 5);

  const scan = new CanaryScan(secrets);
  const left = await traces(messages);
  left.push(
    ...answers.map(({ body: said }, index) => ({ where: `answer ${index}`, bytes: Buffer.from(JSON.stringify(said)) })),
  );
  expect(left.length).toBeGreaterThan(1_000);
  expect(messages.length).toBeGreaterThan(0);
  const planted = secrets.slice(0, 3).flatMap(({ name, bytes }): Trace[] => {
    const forms = ['latin1', 'hex', 'base64', 'base64url'] as const;
    return forms.map((form) => {
      const text = Buffer.from(bytes).toString(form);
      return {
        where: `planted ${name} ${form}`,
        bytes: Buffer.from(`{"cell":"${text}"}`, form === 'latin1' ? 'latin1' : 'utf8'),
      };
    });
  });
  planted.push({ where: 'planted token', bytes: Buffer.from(`Bearer ${tokens.auditor}.`) });
  const found = [...left, ...planted].flatMap((trace) => scan.findIn(trace));
  const places = [...new Set(found.map(({ where }) => where))];
  expect(places.sort()).toEqual(planted.map(({ where }) => where).sort());
});
