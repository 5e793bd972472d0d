// Somebody who can write the tables, at work on the running app: rows are copied, relabelled, re-wrapped and pointed elsewhere
// with the real SDK. A data key's row then does not open, and a switch sets it aside by name and moves the rest; a row that says
// where a wrapped key is sent is refused by name, and no vault hears of it.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMPANY_KEY_BYTES, commitmentTo, wrapCompanyKey, type Wrap } from '../../shared/domain/company-key.ts';
import { connectionRowKey } from '../../shared/store/rows/row-keys.ts';
import { azure, Company, MANAGED } from './company.ts';
import { LOG_LIMIT, startRun } from './harness.ts';
import { until, type ErrorBody, type Run } from './run.ts';
import { StoredRows, type Row } from './stored-rows.ts';

let run: Run;
let rows: StoredRows;
let bystander: Company;

beforeAll(async () => {
  run = await startRun();
  rows = new StoredRows(run.credential);
  bystander = await Company.create(run, 'bystander', 1);
});
afterAll(() => run.close());

/** What a row holds, without where it stands. */
function cellsOf({ partitionKey: _partition, rowKey: _row, etag: _etag, timestamp: _time, ...cells }: Row): object {
  return cells;
}

const lastVaultCall = async (): Promise<number> => (await run.environment.keyVault.requests()).at(-1)?.sequence ?? 0;
const vaultCallsSince = async (sequence: number): Promise<string[]> =>
  (await run.environment.keyVault.requests(sequence)).map(({ operation, target }) => `${operation} ${target}`);

/** A fresh host keeps no company key. Somebody else's key is opened first: the seal's public key is then known to it. */
async function forgetKeys(): Promise<void> {
  await run.environment.hosts[0]?.kill('SIGKILL');
  await run.startHost();
  expect(await bystander.different()).toEqual([]);
}

test('copied and relabelled data keys do not open, and a switch names them and moves the rest', async () => {
  const { contoso } = run.environment.customers;
  const mine = await Company.create(run, 'acme', 40);
  const theirs = await Company.create(run, 'other', 3);
  await mine.connect(contoso, { id: 'azure', keyName: 'acme-key' });
  const [source = '', over = '', fromOther = '', toNoVersion = '', ...rest] = mine.keys.keys();
  const [foreign = ''] = theirs.keys.keys();
  await rows.overwriteDataKey('acme', over, cellsOf(await rows.dataKey('acme', source)));
  await rows.overwriteDataKey('acme', fromOther, cellsOf(await rows.dataKey('other', foreign)));
  await rows.overwriteDataKey('acme', toNoVersion, { companyKeyVersion: 7 });

  const tampered = [over, fromOther, toNoVersion].sort();
  const outcomes = (await mine.unwrap(tampered)).body.keys.map(({ outcome }) => outcome);
  expect(outcomes).toEqual(['does-not-open', 'does-not-open', 'does-not-open']);
  expect(await mine.different([source, ...rest])).toEqual([]);

  expect((await mine.order('s1', azure('azure'))).status).toBe(202);
  // The shard of the row that was relabelled counts it elsewhere: the switch waits until it is counted anew.
  expect((await mine.reaches('s1', ({ blocked }) => blocked !== undefined)).blocked?.reason).toBe('counts-differ');
  await mine.must('POST', `/companies/acme/keyrings/default/recount`);
  const { quarantine } = await mine.reaches('s1', ({ counts }) => counts.quarantined === 3 && counts.checked >= 37);
  expect(quarantine.map(({ keyId }) => keyId).sort()).toEqual(tampered);
  expect(quarantine.find(({ keyId }) => keyId === toNoVersion)?.reason).toBe('unknown-version');
  expect(quarantine.find(({ keyId }) => keyId === over)?.reason).toBe('does-not-open');
  expect(await mine.different([source, ...rest])).toEqual([]);

  // Now there are two versions: a row relabelled from one to the other does not open either.
  const [relabelled = ''] = rest;
  const before = (await rows.dataKey('acme', relabelled))['companyKeyVersion'];
  await rows.overwriteDataKey('acme', relabelled, { companyKeyVersion: Number(before) - 1 });
  expect((await mine.unwrapOne(relabelled)).outcome).toBe('does-not-open');
  await rows.overwriteDataKey('acme', relabelled, { companyKeyVersion: before });

  // A label does not hide a blob that opens: its loss is refused, and a retry mends it.
  const hidden = `${mine.switchPath('s1')}/quarantine/${toNoVersion}`;
  const given = await run.call<ErrorBody>('POST', `${hidden}/accept-loss`);
  expect([given.status, given.body.error.code]).toEqual([409, 'data-key-opens']);
  await mine.must('POST', `${hidden}/retry`);
  for (const keyId of [over, fromOther]) {
    const path = `${mine.switchPath('s1')}/quarantine/${keyId}`;
    const retried = await run.call<ErrorBody>('POST', `${path}/retry`);
    expect([retried.status, retried.body.error.code]).toEqual([409, 'data-key-quarantined']);
    await mine.must('POST', `${path}/accept-loss`);
  }
  expect(await mine.ends('s1')).toMatchObject({ state: 'completed', counts: { lost: 2, total: 40 } });
  expect(await mine.different([source, toNoVersion, ...rest])).toEqual([]);
  expect((await mine.unwrapOne(over)).outcome).toBe('lost');
  expect(await rows.miscounts('acme')).toEqual([]);
  await expect
    .poll(() => run.lines.filter((line) => line.includes('security.data-key-does-not-open')).length, LOG_LIMIT)
    .toBeGreaterThan(2);
});

test("a company key wrapped anew with the customer's public key is refused by name; no vault is asked", async () => {
  const { contoso } = run.environment.customers;
  // The owner's public key is known to everybody; the private one opens what was wrapped with it.
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const company = await Company.create(run, 'forged', 5);
  await company.connect(contoso, { id: 'azure', keyName: 'known-key', pem });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  expect(await company.different()).toEqual([]);

  const [row] = await rows.companyKeys('forged');
  const [wrap] = JSON.parse(String(row?.['wraps'])) as Wrap[];
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const companyKey = randomBytes(COMPANY_KEY_BYTES);
  const context = { companyId: 'forged', keyringId: 'default', version: 2 };
  const commitment = commitmentTo(companyKey, context);
  const ciphertext = wrapCompanyKey({ n, e, companyKey }).toString('base64url');
  const place = { partitionKey: 'forged', rowKey: row?.rowKey ?? '' };
  await rows.overwrite('companies', place, { wraps: JSON.stringify([{ ...wrap, ciphertext, commitment }]) });

  await forgetKeys();
  const sequence = await lastVaultCall();
  const [keyId = ''] = company.keys.keys();
  const refused = await company.unwrapOne(keyId);
  expect(refused).toMatchObject({ outcome: 'failure', failure: { code: 'row-forged', kind: 'integrity' } });
  const made = await run.call<ErrorBody>('POST', `${company.keyring}/datakeys`, {
    as: 'dataKeys',
    body: { keys: [{}] },
  });
  expect([made.status, made.body.error.code]).toEqual([409, 'row-forged']);
  expect(await vaultCallsSince(sequence)).toEqual([]);
  await expect
    .poll(
      () => run.lines.some((line) => line.includes('security.row-forged') && line.includes(place.rowKey)),
      LOG_LIMIT,
    )
    .toBe(true);

  expect((await company.order('s2', MANAGED)).status).toBe(202);
  const { blocked } = await company.reaches('s2', (view) => view.blocked !== undefined);
  expect(blocked).toMatchObject({ reason: 'provider', failure: { code: 'row-forged' } });
  const unwraps = (await vaultCallsSince(sequence)).filter(
    (call) => call === `unwrapkey ${contoso.vaultHost}/known-key`,
  );

  await rows.overwrite('companies', place, { wraps: row?.['wraps'] });
  expect(await company.different()).toEqual([]);
  await company.must('POST', `${company.switchPath('s2')}/retry`);
  expect((await company.ends('s2')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
  // What may have been asked before the forged row was met is only the trial of a wrap made in that moment.
  expect(unwraps.length).toBeLessThanOrEqual(1);
});

test('a connection pointed at another vault is refused by name; neither vault is asked', async () => {
  const { contoso, fabrikam } = run.environment.customers;
  const company = await Company.create(run, 'pointed', 5);
  await company.connect(contoso, { id: 'azure', keyName: 'pointed-key' });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  const place = { partitionKey: 'pointed', rowKey: connectionRowKey('azure') };
  await fabrikam.consent();
  await fabrikam.grant();
  await rows.overwrite('companies', place, { host: fabrikam.vaultHost, tenantId: fabrikam.tenantId });

  await forgetKeys();
  const sequence = await lastVaultCall();
  const [keyId = ''] = company.keys.keys();
  expect((await company.unwrapOne(keyId)).failure?.code).toBe('row-forged');
  const path = `${company.path}/connections/azure`;
  for (const [method, call] of [
    ['GET', path],
    ['POST', `${path}/test`],
    ['GET', `${path}/health`],
  ] as const) {
    const { status, body } = await run.call<ErrorBody>(method, call);
    expect([status, body.error.code]).toEqual([409, 'row-forged']);
  }
  const checked = await company.check('azure');
  expect(checked).toMatchObject({ state: 'unreachable', code: 'row-forged', owner: 'vendor' });
  expect(await vaultCallsSince(sequence)).toEqual([]);

  await rows.overwrite('companies', place, { host: contoso.vaultHost, tenantId: contoso.tenantId });
  await until('the keys', async () => (await company.different()).length === 0);
});
