// API8 and API9: security misconfiguration, improper inventory management. What the edge says of itself, whom it believes, and whether
// there is more of it than is described.
import { METHODS as nodeMethods } from 'node:http';
import { afterAll, beforeAll, expect } from 'vitest';
import { until } from '../end-to-end/run.ts';
import { AREAS } from '../../functions/http/kernel/route.ts';
import { attack } from './attacks.ts';
import { send } from './raw-request.ts';
import { Scene } from './scene.ts';

const OWN = '/companies/contoso';
const RING = `${OWN}/keyrings/default`;
const EVIL = 'https://evil.example';
/** Functions that have no place in the description: the answer to every other path, and what HTTP does not reach. */
const NOT_DESCRIBED = [
  ...['audit', 'check-dead-letters', 'checks', 'dead-letters', 'notifications', 'sweep', 'vault-checks', 'work'],
  ...AREAS.map((area) => `zz-unknown-${area}-path`),
];
/** Whatever a server of Node can read; a CONNECT is for no path. */
const METHODS = nodeMethods.filter((method) => method !== 'CONNECT');

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId?: string }>>>>;
}

let scene: Scene;
let token: string;
let description: Description;
beforeAll(async () => {
  scene = await Scene.open({ switched: false });
  token = scene.token('VendorAdmin');
  description = JSON.parse((await scene.attempt('GET', '/openapi.json')).text) as Description;
});
afterAll(() => scene.close());

attack('A77', async () => {
  const asks = {
    origin: EVIL,
    'access-control-request-method': 'DELETE',
    'access-control-request-headers': 'authorization',
    'access-control-request-private-network': 'true',
  };
  await scene.changesNothing(async () => {
    for (const path of [OWN, `${RING}/unwrap`, '/openapi.json', '/health/live']) {
      const preflight = await scene.refused('OPTIONS', path, { headers: asks }, [405, 'method-not-allowed']);
      const read = await scene.attempt('GET', path, { token, headers: { origin: EVIL } });
      const named = [...Object.keys(preflight.headers), ...Object.keys(read.headers)];
      expect(named.filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
});

attack('A78', async () => {
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    '',
  ];
  await scene.changesNothing(async () => {
    for (const type of types) {
      const attempt = { token, rawBody: '{"displayName":"Forged"}', headers: { 'content-type': type, origin: EVIL } };
      await scene.refused('PUT', OWN, attempt, [415, 'unsupported-media-type']);
    }
  });
});

attack('A79', async () => {
  const { company, token: admin } = await scene.intruder('a79');
  const headers = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-original-host': 'evil.example',
    'x-forwarded-proto': 'http',
    forwarded: 'host=evil.example;proto=http',
  };
  const list = await scene.attempt('GET', '/companies?maxpagesize=1', { token, headers });
  const { nextLink } = JSON.parse(list.text) as { nextLink: string };
  expect(new URL(nextLink).origin).toBe(scene.origin);
  const rekey = await scene.attempt('POST', `${company.keyring}/rekey`, { token: admin, headers });
  expect(rekey.status).toBe(202);
  expect(new URL(rekey.headers['operation-location'] ?? '').origin).toBe(scene.origin);
  expect(list.text + JSON.stringify(list.headers) + rekey.text + JSON.stringify(rekey.headers)).not.toContain('evil');
  // A83 compares all that is stored: nothing may still be moving then.
  const { switchId } = JSON.parse(rekey.text) as { switchId: string };
  expect((await company.ends(switchId)).state).toBe('completed');
});

attack('A80', async () => {
  const { token: admin } = await scene.intruder('a80');
  const seen: readonly (readonly [string, string])[] = [
    ['10.0.0.1, 203.0.113.9:51234', '203.0.113.9'],
    ['203.0.113.9, 127.0.0.1, <script>alert(1)</script>', ''],
    ['keyswitch', ''],
  ];
  for (const [forwarded, from] of seen) {
    const attempt = {
      token: admin,
      headers: { 'x-forwarded-for': forwarded, 'x-real-ip': '10.9.9.9', 'client-ip': '10.9.9.9' },
    };
    const answer = await scene.refused('GET', OWN, attempt, [404, 'company-not-found']);
    expect((await scene.recordedAsRefused(answer, 'a80')).from).toBe(from);
  }
});

attack('A81', async () => {
  const inside = /\bat .+:\d+:\d+|node_modules|\.[cm]?[jt]s\b|[A-Z]\w+Error\b|\/tmp\/|table\.core|sideways|secret-text/;
  await scene.intruder('a81');
  await scene.rows.overwrite('companies', { partitionKey: 'a81', rowKey: 'company' }, { state: 'sideways' });
  const broken = await scene.refused('GET', '/companies/a81', { token }, [500, 'internal-error']);
  await scene.logged(broken, 'http.bug');
  const answers = [
    broken,
    await scene.refused('PUT', OWN, { token, rawBody: '{"displayName":"secret-text' }, [400, 'malformed-json']),
    await scene.refused('PUT', OWN, { token, body: { displayName: ['secret-text'] } }, [400, 'invalid-request']),
    await scene.refused('GET', OWN, { token: `${token}x` }, [401, 'unauthenticated']),
    await scene.refused('GET', '/companies/no-such', { token }, [404, 'company-not-found']),
    await scene.refused('GET', '/nothing', {}, [404, 'route-not-found']),
    await scene.refused('GET', `${RING}/datakeys?skiptoken=AAAA`, { token }, [400, 'invalid-request']),
  ];
  for (const { text } of answers) {
    expect(text).not.toMatch(inside);
    expect(text).not.toContain(token.slice(0, 40));
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    expect([typeof error.code, typeof error.message]).toEqual(['string', 'string']);
  }
  expect(scene.run.lines.filter((line) => line.includes('secret-text') || line.includes(token.slice(-40)))).toEqual([]);
});

attack('A82', async () => {
  const backend = scene.token('DataKeys');
  const keep = await scene.attempt('GET', OWN, { token });
  const never = [
    await scene.attempt('POST', `${RING}/datakeys`, { token: backend, body: { keys: [{}] } }),
    await scene.attempt('POST', `${RING}/unwrap`, { token: backend, body: { keyIds: [...scene.victim.keys.keys()] } }),
    await scene.attempt('GET', OWN),
    await scene.attempt('GET', OWN, { token: backend }),
    await scene.attempt('GET', '/companies/none', { token }),
    await scene.attempt('PATCH', OWN, { token }),
    await scene.attempt('GET', '/nothing'),
  ];
  expect(never.map(({ status }) => status)).toEqual([200, 200, 401, 403, 404, 405, 404]);
  expect([keep.status, keep.headers['cache-control']]).toEqual([200, 'private, no-cache']);
  for (const { headers } of never) expect(headers['cache-control']).toBe('no-store');
  for (const { headers } of [keep, ...never]) {
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('server');
  }
});

attack('A83', () =>
  scene.changesNothing(async () => {
    for (const query of [
      'maxpagesize=1&maxpagesize=1000',
      'maxpagesize=1&maxpagesize=1',
      'maxpagesize[]=1',
      'skiptoken=a&skiptoken=b',
    ]) {
      await scene.refused('GET', `/companies?${query}`, { token }, [400, 'invalid-request']);
    }
    const tags = { token, body: { displayName: 'Forged' }, headers: { 'if-match': '"a", "b"' } };
    await scene.refused('PUT', OWN, tags, [400, 'invalid-request']);
    const both = { ...tags, headers: { 'if-match': '*', 'if-none-match': '*' } };
    await scene.refused('PUT', OWN, both, [400, 'invalid-request']);
  }),
);

attack('A92', () =>
  scene.changesNothing(async () => {
    const invalid = [400, 'invalid-request'] as const;
    const twice = (rawBody: string, by = token) => ({
      token: by,
      rawBody,
      headers: { 'content-type': 'application/json' },
    });
    await scene.refused('PUT', OWN, twice('{"displayName":"Mine","displayName":"Forged"}'), invalid);
    // Parsers differ in which of the two counts, and in whether a name that is written otherwise is the same.
    await scene.refused('PUT', OWN, twice('{"displayName":"Mine","\\u0064isplayName":"Forged"}'), invalid);
    const backend = scene.token('DataKeys');
    await scene.refused('POST', `${RING}/datakeys`, twice('{"keys":[{"keyId":"a","keyId":"b"}]}', backend), invalid);
    await scene.refused('POST', `${RING}/unwrap`, twice('{"keyIds":["a"],"keyIds":["b"]}', backend), invalid);
  }),
);

attack('A84', async () => {
  const described = Object.values(description.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  const [host] = scene.run.environment.hosts;
  expect([...(host?.functions ?? [])].sort()).toEqual([...described, ...NOT_DESCRIBED].sort());
  for (const path of [
    '/admin',
    '/debug',
    '/metrics',
    '/env',
    '/swagger.json',
    '/docs',
    '/companies/contoso/export',
    '/.git/config',
    '/',
  ]) {
    await scene.refused('GET', path, { token }, [404, 'route-not-found']);
  }
  // The page with which the Functions host would say what it is.
  expect((await send(scene.origin, 'GET', '/')).status).toBe(204);
  for (const path of [
    '/api',
    '/.env',
    '/api/swagger',
    '/portal',
    '/operator/companies',
    '/admin/host/status',
    '/admin/functions',
    '/runtime/webhooks',
    '/api/work',
  ]) {
    expect((await send(scene.origin, 'GET', path, { token })).status).toBe(404);
  }
  // Azure runs a function by hand for whoever has the master key, and for nobody else.
  for (const name of ['sweep', 'work', 'put-company']) {
    const by = { token, headers: { 'x-functions-key': host?.functionKey ?? '' } };
    expect((await send(scene.origin, 'POST', `/admin/functions/${name}`, by)).status).toBe(401);
  }
});

attack('A85', async () => {
  await scene.changesNothing(async () => {
    for (const [template, methods] of Object.entries(description.paths)) {
      const path = template.replace('{companyId}', 'contoso').replaceAll(/\{\w+\}/g, 'default');
      const allowed = Object.keys(methods).flatMap((method) =>
        method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
      );
      for (const method of METHODS.filter((one) => !allowed.includes(one))) {
        const answer = await send(scene.origin, method, path, { token });
        expect([method, path, answer.status, answer.code]).toEqual([method, path, 405, 'method-not-allowed']);
        expect((answer.headers['allow'] ?? '').split(', ').sort()).toEqual([...allowed].sort());
      }
    }
    for (const header of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
      const answer = await scene.attempt('GET', OWN, { token, headers: { [header]: 'DELETE' } });
      expect([answer.status, answer.text.includes('"active"')]).toEqual([200, true]);
    }
    const traced = await scene.attempt('TRACE', OWN, { token });
    expect([traced.status, traced.requestId]).toEqual([405, expect.stringMatching(/./)]);
    expect(traced.text).not.toContain('Bearer');
  });
});

attack('A86', async () => {
  await scene.changesNothing(async () => {
    for (const path of [
      '/api/v2/companies',
      '/api/v0/companies',
      '/api/companies',
      '/companies',
      '/api/v1.0/companies',
      '/api/beta/companies',
    ]) {
      expect((await send(scene.origin, 'GET', path, { token })).status).toBe(404);
    }
    const asked = await scene.refused('GET', `${OWN}?api-version=2020-01-01`, { token }, [400, 'invalid-request']);
    expect(asked.text).toContain('query.api-version');
  });
  // Azure's router does not mind case: the same path, and the same rights.
  const upper = (path: string): Promise<number> => send(scene.origin, 'GET', path, {}).then(({ status }) => status);
  expect([await upper('/API/V1/COMPANIES'), await upper('/api/v1/Companies/contoso')]).toEqual([401, 401]);
  await until('the host to live', async () => (await scene.attempt('GET', '/health/live')).status === 200);
});
