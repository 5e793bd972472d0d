// The whole API against requests made from its own description, by every kind of caller. Each answer is held against the
// description where it is made (Api.call); here also: no fault of ours, nothing of the inside shown, and an end to every call.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../functions/http/routes.ts';
import type { ApiAnswer } from '../functions/http/api-answer.ts';
import { adminOf, Api, auditor, backend, connect, vendor, registerCompany } from '../functions/http/api.ts';
import type { Claims } from '../fakes/fake-token-issuer.ts';
import { documentOf } from '../fixtures/api-document.ts';
import { pageRoutes } from '../functions/http/pages/page-routes.ts';
import { operationsIn, requestsOf } from './requests.ts';

const NUM_RUNS = 150;
/** Many times what the longest takes: not a measure of speed, but the end of a call that never ends. */
const HANG_MS = 20_000;

const CALLERS: Readonly<Record<string, Claims | undefined>> = {
  vendor,
  'admin of acme': adminOf('acme'),
  'admin of nobody': adminOf('nobody'),
  backend,
  auditor,
  everything: {
    ...adminOf('acme'),
    roles: ['VendorAdmin', 'CompanyAdmin', 'DataKeys', 'Auditor'].map((role) => `Keyswitch.${role}`),
  },
  'no role': { roles: [] },
  'odd claims': { roles: { __proto__: null, length: 1e9 }, extension_company: ['acme'] },
  nobody: undefined,
};

const INSIDE =
  /\n\s+at |node_modules|file:\/\/|node:internal|\.(ts|js|mjs):\d+|TypeError|RangeError|SyntaxError|ZodError/;

/** Beside the app's own, a route of every kind of page. */
const table = [...routes, ...pageRoutes];

let api: Api;
beforeAll(async () => {
  api = await Api.start({ routes: table });
  await registerCompany(api, 'acme');
  await registerCompany(api, 'globex');
  await connect(api, 'acme', 'contoso');
  const keys = ['one', 'two', 'three'].map((keyId) => ({ keyId }));
  const made = await api.call('POST', '/companies/acme/keyrings/default/datakeys', { as: backend, body: { keys } });
  expect(made.status).toBe(200);
});
afterAll(() => api.close());

function expectDecent(answer: ApiAnswer): void {
  const shown = answer.html ?? JSON.stringify(answer.body);
  if (answer.status >= 500) {
    expect(answer.status, `${shown} ${JSON.stringify(api.log.entries.at(-1))}`).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  }
  const inside = [shown, ...answer.headers.values()].join('\n');
  expect(inside).not.toMatch(INSIDE);
  expect(inside).not.toContain(process.cwd());
  expect(answer.headers.get('x-ms-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  if (answer.html !== undefined) expect(answer.html).not.toMatch(/<script|<img|undefined|\[object/i);
  if (answer.status < 400 || answer.html !== undefined) return;
  const { error } = answer.body;
  expect(Object.keys(answer.body)).toEqual(['error']);
  expect([typeof error?.['code'], typeof error?.['message']]).toEqual(['string', 'string']);
}

/** What ends a company comes last. */
const operations = [...operationsIn(documentOf(table))].sort(
  (a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'),
);

describe.each(operations.map((operation) => [operation.operationId, operation] as const))('%s', (_, operation) => {
  test('answers whatever it is sent as it is described', async () => {
    const caller = fc.oneof(
      { weight: 2, arbitrary: fc.constant('everything') },
      { weight: 1, arbitrary: fc.constantFrom(...Object.keys(CALLERS)) },
    );
    await fc.assert(
      fc.asyncProperty(requestsOf(operation), caller, async ({ path, headers, rawBody }, who) => {
        const as = CALLERS[who];
        // A clock that moves on lets limits and caches come to their end.
        api.clock.advance(7_000);
        const answer = await api.call(operation.method, path, {
          headers,
          ...(as ? { as } : {}),
          ...(rawBody === undefined ? {} : { rawBody }),
        });
        expectDecent(answer);
      }),
      { numRuns: NUM_RUNS, timeout: HANG_MS, interruptAfterTimeLimit: 2 * HANG_MS },
    );
    await api.work();
  });
});

test('paths that are not described are 404, methods 405, whatever they are', async () => {
  const segment = fc.oneof(
    fc.constantFrom('companies', 'acme', '__proto__', 'constructor', '%00', "'"),
    fc.webSegment(),
  );
  const path = fc
    .array(segment, { minLength: 1, maxLength: 7 })
    .map((segments) => `/${segments.map(encodeURIComponent).join('/')}`);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('PATCH', 'TRACE', 'OPTIONS'), path, async (method, at) => {
      const answer = await api.call(method, at);
      expectDecent(answer);
      expect([404, 405]).toContain(answer.status);
    }),
    { numRuns: 200, timeout: HANG_MS },
  );
});
