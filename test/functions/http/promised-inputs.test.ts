// Whatever the description says is taken is taken: inputs made from it alone, as a generated client may send them, are not 400. What no schema
// can say is listed here, with the words in which the description says it.
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../../functions/http/routes.ts';
import { documentOf, operationsOf, type DescribedOperation } from '../../fixtures/api-document.ts';
import { fromSchema, type Schema, type Source } from '../../fixtures/from-schema.ts';
import type { ApiAnswer } from './api-answer.ts';
import { adminOf, Api, connect, registerCompany } from './api.ts';

const NUM_RUNS = 60;
const document = documentOf(routes);
const text = JSON.stringify(document);
const schemas = (document.components?.schemas ?? {}) as Readonly<Record<string, Schema>>;

/** A point of a curve, and the modulus of two primes, are no matter of form. */
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

const KNOWN: Readonly<Record<string, readonly unknown[]>> = {
  companyId: ['acme'],
  keyringId: ['default'],
  connectionId: ['contoso'],
  switchId: ['first'],
  keyId: ['one', 'two', 'three'],
  timer: ['sweep', 'vault-checks', 'audit'],
};
const source: Source = { schemas, known: KNOWN, anything: fc.constant({}) };

/** What an error may name all the same, and what the description says of it. */
const BEYOND_SCHEMAS: readonly { readonly faults: RegExp; readonly said: string }[] = [
  { faults: /cannot be seen|can be seen/, said: 'At least one character that can be seen, and none that cannot' },
  { faults: /must be the GUID of an Entra tenant|must be the primary domain/, said: 'Of `microsoft-365` the GUID' },
  { faults: /personal accounts/, said: 'None of personal accounts' },
  { faults: /contradicts If-Match/, said: 'Goes without If-Match' },
  { faults: /no continuation of this (?:list|check)/, said: 'from nextLink, as it is' },
  { faults: /asked for twice/, said: 'No id comes twice' },
  { faults: /different characters/, said: 'different characters' },
  {
    faults: /no public key of its type|must have 2048 to 16384 bits|is even|must be odd/,
    said: 'Of 2,048 to 16,384 bits',
  },
  { faults: /key for signatures/, said: 'Not only those of a key for signatures' },
  { faults: /stays the same once it is known/, said: 'It stays the same once it is known' },
  { faults: /leave the tenant away/, said: 'Not given with `vendor-hosted`' },
  { faults: /address of the webhook|host of the webhook/, said: 'https, a public host name' },
  { faults: /kind of signature of a webhook stays/, said: 'It stays as it was at first' },
  { faults: /good in that tenant only/, said: '`tenantId` is required with it' },
  { faults: /No secret of this app is stored yet/, said: 'where none is, it is required' },
  { faults: /column Expires beside the secret/, said: 'required with a secret' },
  { faults: /there is no such action/, said: 'Actions of the record (docs/audit.md)' },
  { faults: /vendor's own vault/, said: "not of the vendor's own vault" },
];

let api: Api;
beforeAll(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
  await connect(api, 'acme', 'contoso');
  const keys = Object.values(KNOWN['keyId'] ?? []).map((keyId) => ({ keyId }));
  await api.call('POST', '/companies/acme/keyrings/default/datakeys', {
    as: { roles: ['Keyswitch.DataKeys'] },
    body: { keys },
  });
});
afterAll(() => api.close());

interface Made {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function inputsOf(operation: DescribedOperation): fc.Arbitrary<Made> {
  const { parameters = [], requestBody } = operation;
  const pairs = (place: string): fc.Arbitrary<Record<string, unknown>> => {
    const these = parameters.filter((one) => one.in === place);
    const model = Object.fromEntries(these.map(({ name, schema }) => [name, fromSchema(schema, source, name)]));
    return fc.record(model, { requiredKeys: these.filter(({ required }) => required).map(({ name }) => name) });
  };
  const schema = requestBody?.content['application/json']?.schema;
  const body = schema === undefined ? fc.constant(undefined) : fromSchema(schema, source);
  return fc.record({ path: pairs('path'), query: pairs('query'), headers: pairs('header'), body }).map((made) => ({
    path: pathOf(operation.path, made),
    headers: Object.fromEntries(Object.entries(made.headers).map(([name, value]) => [name, String(value)])),
    body: made.body,
  }));
}

function pathOf(
  template: string,
  { path, query }: { readonly path: Record<string, unknown>; readonly query: Record<string, unknown> },
): string {
  const at = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name])));
  const asked = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return asked.size === 0 ? at : `${at}?${asked.toString()}`;
}

/** Each fault that is named, in words. */
function faultsOf({ body }: ApiAnswer): string[] {
  const { error } = body as unknown as {
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly cause?: string;
      readonly details?: readonly { readonly target: string; readonly message: string }[];
    };
  };
  const details = error.details ?? [];
  return details.length === 0
    ? [`${error.code}: ${error.message} ${error.cause ?? ''}`]
    : details.map(({ target, message }) => `${target} ${message}`);
}

const operations = operationsOf(document).filter(({ path }) => path.startsWith('/api/'));

describe.each(operations.map((operation) => [operation.operationId, operation] as const))('%s', (_, operation) => {
  test('takes what it says it takes', async () => {
    const as = { ...adminOf('acme'), roles: operation['x-roles'] ?? [] };
    const unsaid = (fault: string): boolean => !BEYOND_SCHEMAS.some(({ faults }) => faults.test(fault));
    await fc.assert(
      fc.asyncProperty(inputsOf(operation), async ({ path, headers, body }) => {
        api.clock.advance(60_000);
        const answer = await api.call(operation.method, path, { as, headers, ...(body === undefined ? {} : { body }) });
        expect(answer.status).not.toBe(413);
        expect(answer.status).not.toBe(415);
        if (answer.status === 400) expect(faultsOf(answer).filter(unsaid)).toEqual([]);
      }),
      { numRuns: NUM_RUNS, seed: 14 },
    );
  });
});

test.each(BEYOND_SCHEMAS)('what no schema can say is said in words: $said', ({ said }) => {
  expect(text).toContain(said);
});

test('keys that are keys are taken for an export, with whatever the description lets them say of themselves', async () => {
  const path = '/companies/acme/keyrings/default/export';
  for (const publicKey of [
    { ...rsa, use: 'enc', alg: 'RSA-OAEP-256', kid: 'mine' },
    { ...ec, ext: true },
  ]) {
    api.clock.advance(60_000);
    const answer = await api.call('POST', path, { as: adminOf('acme'), body: { publicKey } });
    expect([answer.status, answer.headers.get('x-ms-error-code')]).not.toEqual([400, 'invalid-request']);
  }
});
