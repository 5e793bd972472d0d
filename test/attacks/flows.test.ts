// API6: unrestricted access to sensitive business flows. A switch decides who holds the key: it is started once, ends once, and what
// it depends on cannot be taken away under it.
import { afterAll, beforeAll, expect } from 'vitest';
import { azure } from '../end-to-end/company.ts';
import { attack } from './attacks.ts';
import { Scene } from './scene.ts';

const OWN = '/companies/contoso';
const RING = `${OWN}/keyrings/default`;
const STARTS_AT_ONCE = 8;

let scene: Scene;
let token: string;
beforeAll(async () => {
  scene = await Scene.open({ switched: true });
  token = scene.token('CompanyAdmin', 'contoso');
});
afterAll(() => scene.close());

attack('A58', async () => {
  const { company, token: admin } = await scene.intruder('a58');
  await company.generate(5);
  await company.connect(scene.run.environment.customers.contoso, { id: 'azure', keyName: 'a58-key' });
  const { tables } = scene.run.environment;
  // No row moves until all have asked, so that none finds the first one ended.
  await tables.plant({ operation: 'batch', target: 'datakeys', effect: { status: 503 } });
  const starts = Array.from({ length: STARTS_AT_ONCE }, (_, index) =>
    scene.attempt('PUT', company.switchPath(`s${index}`), { token: admin, body: azure('azure') }),
  );
  const answers = await Promise.all(starts);
  const rekey = await scene.attempt('POST', `${company.keyring}/rekey`, { token: admin });
  await tables.clearFaults();
  const told = [...answers, rekey].map(({ status, code }) => `${status} ${code}`).sort();
  expect(told).toEqual(['202 ', ...Array.from({ length: STARTS_AT_ONCE }, () => '409 switch-in-progress')]);
  const { value } = await company.must<{ value: { switchId: string }[] }>('GET', `${company.keyring}/switches`);
  expect(value).toHaveLength(1);
  const [{ switchId } = { switchId: '' }] = value;
  expect((await company.ends(switchId)).state).toBe('completed');
  const started = (await scene.events('a58')).filter(({ action }) => action === 'switch.start');
  expect(started).toHaveLength(1);
  expect(await company.different()).toEqual([]);
});

attack('A59', () =>
  scene.changesNothing(async () => {
    await scene.refused('PUT', `${RING}/switches/s1`, { token, body: { provider: 'managed' } }, [409, 'switch-exists']);
    const same = await scene.attempt('PUT', `${RING}/switches/s1`, { token, body: azure('azure') });
    expect(JSON.parse(same.text)).toMatchObject({ switchId: 's1', state: 'completed' });
    await scene.refused('PUT', `${RING}/switches/s2`, { token, body: azure('azure') }, [409, 'same-vault-key']);
  }),
);

attack('A60', () =>
  scene.changesNothing(async () => {
    for (const verb of ['cancel', 'pause', 'resume', 'retry']) {
      await scene.refused('POST', `${RING}/switches/s1/${verb}`, { token }, [409, 'switch-ended']);
    }
    for (const direction of ['back', 'forward']) {
      const attempt = { token, body: { direction } };
      await scene.refused('POST', `${RING}/switches/s1/retry`, attempt, [409, 'switch-ended']);
    }
  }),
);

attack('A61', async () => {
  const backend = scene.token('DataKeys');
  const headers = { 'idempotency-key': 'a61' };
  const made = await scene.attempt('POST', `${RING}/datakeys`, { token: backend, headers, body: { keys: [{}] } });
  expect(made.status).toBe(200);
  await scene.changesNothing(async () => {
    const reused = [409, 'idempotency-key-reused'] as const;
    for (const keys of [[{}, {}], [{ keyId: 'chosen' }], [{ plaintext: 'A'.repeat(43) }]]) {
      await scene.refused('POST', `${RING}/datakeys`, { token: backend, headers, body: { keys } }, reused);
    }
    // The same call again makes nothing new, and gives the same key.
    const again = await scene.attempt('POST', `${RING}/datakeys`, { token: backend, headers, body: { keys: [{}] } });
    expect(again.text).toBe(made.text);
  });
});

attack('A62', async () => {
  const backend = scene.token('DataKeys');
  const body = { keys: [{ keyId: 'a62' }] };
  expect((await scene.attempt('POST', `${RING}/datakeys`, { token: backend, body })).text).toContain('"created"');
  const taken = { keyringId: 'default', keys: [{ outcome: 'id-taken', keyId: 'a62' }] };
  const again = await scene.changesNothing(() => scene.attempt('POST', `${RING}/datakeys`, { token: backend, body }));
  expect(JSON.parse(again.text)).toEqual(taken);
  expect((await scene.attempt('DELETE', `${RING}/datakeys/a62`, { token: backend })).status).toBe(200);
  const after = await scene.changesNothing(() => scene.attempt('POST', `${RING}/datakeys`, { token: backend, body }));
  expect(JSON.parse(after.text)).toEqual(taken);
});

attack('A63', () => {
  const { contoso, fabrikam } = scene.run.environment.customers;
  const body = { vaultUri: contoso.vaultUri, keyName: 'contoso-key', credential: { kind: 'federated' } };
  const path = `${OWN}/connections/azure`;
  const inUse = [409, 'connection-in-use'] as const;
  return scene.changesNothing(async () => {
    for (const change of [{ vaultUri: fabrikam.vaultUri }, { keyName: 'other-key' }, { tenantId: fabrikam.tenantId }]) {
      await scene.refused('PUT', path, { token, body: { ...body, ...change } }, inUse);
    }
    await scene.refused('DELETE', path, { token }, inUse);
    await scene.refused('DELETE', path, { token, headers: { 'if-match': '*' } }, inUse);
  });
});

attack('A64', async () => {
  const asVendor = { token: scene.token('VendorAdmin') };
  await scene.refused('DELETE', OWN, asVendor, [409, 'company-has-data-keys']);
  expect(await scene.victim.different()).toEqual([]);
  expect((await scene.attempt('GET', OWN, asVendor)).text).toContain('"state":"active"');
});
