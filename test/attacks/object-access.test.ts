// API1: broken object level authorization. An admin of one company reaches for what is another's: by ids in a path, by rows in the
// tables, by messages in the queue.
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, expect } from 'vitest';
import { WORK_QUEUE } from '../../local/environment/app-environment.ts';
import { SERVICE_BUS_HOST } from '../../local/identities.ts';
import { companyKeyRowKey, connectionRowKey } from '../../shared/store/rows/row-keys.ts';
import { until } from '../end-to-end/run.ts';
import { attack } from './attacks.ts';
import type { Attempt } from './raw-request.ts';
import { Scene } from './scene.ts';

let scene: Scene;
let foreignKeyId: string;
beforeAll(async () => {
  scene = await Scene.open({ switched: true });
  [foreignKeyId = ''] = scene.victim.keys.keys();
});
afterAll(() => scene.close());

const UNKNOWN = [404, 'company-not-found'] as const;
const CONNECTION = {
  vaultUri: 'https://fabrikam-keys.vault.azure.net',
  keyName: 'mine',
  credential: { kind: 'federated' },
};
const FORGED = [409, 'row-forged'] as const;

type Call = readonly [method: string, path: string, body?: unknown];

/** Each is answered as if there were no such company, recorded in the chain of who asked, and changes nothing. */
async function unknownTo(companyId: string, calls: readonly Call[]): Promise<void> {
  const { token } = await scene.intruder(companyId);
  const answers = await scene.changesNothing(async () => {
    const given = [];
    for (const [method, path, body] of calls) given.push(await scene.refused(method, path, { token, body }, UNKNOWN));
    return given;
  });
  for (const answer of answers) {
    const event = await scene.recordedAsRefused(answer, companyId);
    expect(event.detail).toMatchObject({ code: 'unknown-company', asked: 'contoso' });
  }
}

attack('A01', () =>
  unknownTo('a01', [
    ['GET', '/companies/contoso'],
    ['GET', '/companies/contoso/policy'],
    ['PUT', '/companies/contoso/policy', { vendorKey: 'allowed', keyringsPerProvider: 'any' }],
  ]),
);

attack('A02', () =>
  unknownTo('a02', [
    ['GET', '/companies/contoso/keyrings'],
    ['GET', '/companies/contoso/keyrings/default'],
    ['PUT', '/companies/contoso/keyrings/other', {}],
    ['PUT', '/companies/contoso/keyrings/default', { isDefault: true }],
    ['POST', '/companies/contoso/keyrings/default/rekey'],
  ]),
);

attack('A03', () =>
  unknownTo('a03', [
    ['GET', '/companies/contoso/connections'],
    ['GET', '/companies/contoso/connections/azure'],
    ['PUT', '/companies/contoso/connections/azure', CONNECTION],
    ['PUT', '/companies/contoso/connections/new', CONNECTION],
    ['DELETE', '/companies/contoso/connections/azure'],
    ['POST', '/companies/contoso/connections/azure/test'],
    ['POST', '/companies/contoso/connections/azure/check'],
    ['POST', '/companies/contoso/tenants/refresh'],
    ['GET', '/companies/contoso/connections/azure/instructions'],
    ['GET', '/companies/contoso/connections/azure/health'],
    ['GET', '/companies/contoso/connections/azure/key-versions'],
  ]),
);

attack('A04', () => {
  const switches = '/companies/contoso/keyrings/default/switches';
  return unknownTo('a04', [
    ['GET', switches],
    ['GET', `${switches}/s1`],
    ['PUT', `${switches}/s2`, { provider: 'managed' }],
    ['POST', `${switches}/s1/cancel`],
    ['POST', `${switches}/s1/pause`],
    ['POST', `${switches}/s1/resume`],
    ['POST', `${switches}/s1/retry`, { direction: 'back' }],
    ['POST', `${switches}/s1/quarantine/${foreignKeyId}/accept-loss`],
    ['POST', '/companies/contoso/keyrings/default/recount'],
  ]);
});

attack('A05', () => {
  const ring = '/companies/contoso/keyrings/default';
  return unknownTo('a05', [
    ['GET', `${ring}/datakeys`],
    ['GET', `${ring}/datakeys/${foreignKeyId}`],
    ['DELETE', `${ring}/datakeys/${foreignKeyId}`],
    ['POST', `${ring}/datakeys/${foreignKeyId}/restore`],
    ['POST', `${ring}/datakeys`, { keys: [{}] }],
    ['POST', `${ring}/unwrap`, { keyIds: [foreignKeyId] }],
    ['POST', '/companies/contoso/datakeys', { keys: [{}] }],
    ['POST', '/companies/contoso/unwrap', { keyIds: [foreignKeyId] }],
  ]);
});

attack('A06', () =>
  unknownTo('a06', [
    ['GET', '/companies/contoso/events'],
    ['GET', '/companies/contoso/events/verify'],
  ]),
);

attack('A07', async () => {
  const { company, token } = await scene.intruder('a07');
  await scene.victim.must('PUT', '/companies/contoso/keyrings/only-theirs', { body: {} });
  await scene.changesNothing(async () => {
    const tries: readonly (readonly [...Call, readonly [number, string]])[] = [
      ['GET', `${company.path}/keyrings/only-theirs`, undefined, [404, 'keyring-not-found']],
      ['GET', `${company.path}/connections/azure`, undefined, [404, 'connection-not-found']],
      ['POST', `${company.path}/connections/azure/test`, undefined, [404, 'connection-not-found']],
      ['DELETE', `${company.path}/connections/azure`, undefined, [404, 'connection-not-found']],
      ['GET', `${company.keyring}/switches/s1`, undefined, [404, 'switch-not-found']],
      ['POST', `${company.keyring}/switches/s1/cancel`, undefined, [404, 'switch-not-found']],
    ];
    for (const [method, path, body, refusal] of tries) await scene.refused(method, path, { token, body }, refusal);
    const asVendor = { token: scene.token('VendorAdmin') };
    await scene.refused('GET', `${company.keyring}/datakeys/${foreignKeyId}`, asVendor, [404, 'data-key-not-found']);
    const { body } = await company.unwrap([foreignKeyId]);
    expect(body.keys).toEqual([{ outcome: 'not-found', keyId: foreignKeyId }]);
  });
});

attack('A08', async () => {
  const { token } = await scene.intruder('a08');
  await scene.changesNothing(async () => {
    const spellings = [
      'CONTOSO',
      'Contoso',
      'contoso%20',
      '%63ontoso',
      'contoso%00',
      'a08%2F..%2Fcontoso',
      'a08%7Ccontoso',
      'contoso;a=b',
    ];
    for (const spelling of spellings) await scene.refused('GET', `/companies/${spelling}`, { token }, UNKNOWN);
    const { status, text } = await scene.attempt('GET', '/companies/a08/../contoso', { token });
    expect([status, text]).toEqual([404, expect.stringContaining("no company 'contoso'")]);
    await scene.refused('GET', '/companies/a08?companyId=contoso', { token }, [400, 'invalid-request']);
    await scene.refused('PUT', '/companies/a08/keyrings/x', { token, body: { companyId: 'contoso' } }, [
      400,
      'invalid-request',
    ]);
    const other = {
      token: scene.token('CompanyAdmin', 'A08'),
      headers: { companyid: 'contoso', 'x-company': 'contoso' },
    };
    await scene.refused('GET', '/companies/contoso', other, UNKNOWN);
  });
});

attack('A09', async () => {
  const { company, token } = await scene.intruder('a09');
  const { victim, run } = scene;
  for (const name of ['one', 'two'])
    await victim.must('PUT', `${victim.path}/connections/${name}`, { body: CONNECTION });
  const tokens: string[] = [];
  for (const list of ['connections', 'keyrings', 'events', 'keyrings/default/datakeys']) {
    const { body } = await run.call<{ nextLink?: string }>('GET', `${victim.path}/${list}?maxpagesize=1`);
    tokens.push(new URL(body.nextLink ?? '').searchParams.get('skiptoken') ?? '');
  }
  await scene.changesNothing(async () => {
    for (const skiptoken of tokens) {
      for (const list of ['connections', 'keyrings', 'events', 'keyrings/default/switches']) {
        const answer = await scene.attempt('GET', `${company.path}/${list}?skiptoken=${skiptoken}`, { token });
        expect([answer.status, answer.code]).toEqual(answer.status === 200 ? [200, ''] : [400, 'invalid-request']);
        expect(answer.text).not.toMatch(/contoso|fabrikam/);
      }
    }
  });
});

attack('A10', async () => {
  const { company, token } = await scene.intruder('a10');
  const body = { provider: 'azure-key-vault', connectionId: 'azure' };
  await scene.changesNothing(async () => {
    await scene.refused('PUT', company.switchPath('s1'), { token, body }, [404, 'connection-not-found']);
    const elsewhere = { ...body, connectionId: '../contoso/azure' };
    await scene.refused('PUT', company.switchPath('s1'), { token, body: elsewhere }, [400, 'invalid-request']);
    const named = { ...body, companyId: 'contoso' };
    await scene.refused('PUT', company.switchPath('s1'), { token, body: named }, [400, 'invalid-request']);
  });
});

attack('A12', async () => {
  const { company } = await scene.intruder('a12');
  const place = { partitionKey: 'a12', rowKey: companyKeyRowKey('default', 1) };
  const theirs = await scene.rows.read('companies', 'contoso', companyKeyRowKey('default', 2));
  await scene.rows.overwrite('companies', place, { wraps: theirs['wraps'] });
  const make: Attempt = { token: scene.token('DataKeys'), body: { keys: [{}] } };
  const calls = await scene.vaultCallsOf(async () => {
    const answer = await scene.changesNothing(() => scene.refused('POST', `${company.keyring}/datakeys`, make, FORGED));
    const event = await scene.recorded(answer, 'a12');
    expect(event).toMatchObject({ action: 'security.row-forged', outcome: 'detected', target: place.rowKey });
  });
  expect(calls).toEqual([]);
});

attack('A13', async () => {
  const { company, token } = await scene.intruder('a13');
  const {
    etag: _etag,
    timestamp: _time,
    partitionKey: _theirs,
    rowKey,
    ...cells
  } = await scene.rows.read('companies', 'contoso', connectionRowKey('azure'));
  await scene.rows.overwrite('companies', { partitionKey: 'a13', rowKey: rowKey ?? '' }, cells);
  const calls = await scene.vaultCallsOf(async () => {
    await scene.changesNothing(async () => {
      for (const [method, path] of [
        ['GET', `${company.path}/connections/azure`],
        ['GET', `${company.path}/connections/azure/instructions`],
        ['POST', `${company.path}/connections/azure/check`],
      ] as const) {
        const answer = await scene.attempt(method, path, { token });
        if (path.endsWith('/check')) expect(answer.text).toContain('row-forged');
        else expect([path, answer.status, answer.code]).toEqual([path, ...FORGED]);
      }
      const target = { provider: 'azure-key-vault', connectionId: 'azure' };
      const answer = await scene.refused('PUT', company.switchPath('s1'), { token, body: target }, FORGED);
      expect(await scene.recorded(answer, 'a13')).toMatchObject({ action: 'security.row-forged', outcome: 'detected' });
    });
  });
  expect(calls).toEqual([]);
});

attack('A16', async () => {
  const { company } = await scene.intruder('a16');
  const bus = new ServiceBusClient(SERVICE_BUS_HOST, scene.run.credential);
  const sender = bus.createSender(WORK_QUEUE);
  const work = { format: 1, attempt: 0, companyId: company.companyId, keyringId: 'default', switchId: 's1' };
  const shards = { generation: 1, firstShard: 0, lastShard: 3 };
  const rings = [
    work,
    { ...work, kind: 'reprotect', ...shards },
    { ...work, companyId: 'contoso', switchId: 'made-up' },
  ];
  const known = (await scene.events()).length;
  const before = await scene.rows.shards('contoso');
  await sender.sendMessages(rings.map((ring) => ({ body: { kind: 'advance', ...ring } })));
  await sender.close();
  await bus.close();
  const poison = await until('the messages to be recorded', async () => {
    const found = (await scene.events()).slice(known).filter(({ action }) => action === 'message.poison');
    return found.length === rings.length && found;
  });
  expect(poison.map(({ detail }) => detail['reason'])).toEqual(rings.map(() => 'no such switch'));
  expect((await scene.rows.shards('contoso')).map(({ etag }) => etag)).toEqual(before.map(({ etag }) => etag));
  expect(await scene.victim.different()).toEqual([]);
  const switches = await company.must<{ value: unknown[] }>('GET', `${company.keyring}/switches`);
  expect(switches.value).toEqual([]);
});

attack('A95', async () => {
  await scene.intruder('a95');
  const confined = (role: string, ...names: string[]): Attempt => ({
    token: scene.run.environment.mintApiToken({
      roles: [`Keyswitch.${role}`],
      overrides: { extension_companies: names },
    }),
  });
  const ring = '/companies/contoso/keyrings/default';
  const unwrap = { body: { keyIds: [foreignKeyId] } };
  const NO_RING = [404, 'keyring-not-found'] as const;
  await scene.changesNothing(async () => {
    const backend = confined('DataKeys', 'a95');
    await scene.refused('POST', `${ring}/unwrap`, { ...backend, ...unwrap }, UNKNOWN);
    await scene.refused('DELETE', `${ring}/datakeys/${foreignKeyId}`, backend, UNKNOWN);
    await scene.refused('POST', `${ring}/unwrap`, { ...confined('DataKeys', 'a95/default'), ...unwrap }, UNKNOWN);
    await scene.refused('POST', `${ring}/unwrap`, { ...confined('DataKeys', 'contoso/x'), ...unwrap }, NO_RING);
    await scene.refused('GET', '/companies/contoso/events', confined('Auditor', 'a95'), UNKNOWN);
    await scene.refused(
      'GET',
      '/vault-claims/contoso-keys.vault.azure.net/contoso-key',
      confined('VendorAdmin', 'a95'),
      [404, 'vault-claim-not-found'],
    );
    const partner = confined('VendorAdmin', 'a95');
    await scene.refused('DELETE', '/companies/contoso', partner, UNKNOWN);
    const listed = await scene.attempt('GET', '/companies', partner);
    expect([listed.status, listed.text]).toEqual([200, expect.not.stringContaining('contoso')]);
    expect(listed.text).toContain('a95');
  });
  const role = scene.run.environment.mintApiToken({
    roles: ['Keyswitch.DataKeys', 'Keyswitch.Company.contoso/default'],
  });
  const served = await scene.attempt('POST', `${ring}/unwrap`, { token: role, ...unwrap });
  expect([served.status, served.text]).toEqual([200, expect.stringContaining('"unwrapped"')]);
});
