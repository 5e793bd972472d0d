// Requests made from the API's own description: valid ones, nearly valid ones and hostile ones. Pure.
import fc from 'fast-check';
import { operationsOf, type Document } from '../fixtures/api-document.ts';
import { fromSchema, type Schema } from '../fixtures/from-schema.ts';
import { STATE } from '../functions/http/pages/page-routes.ts';
import { hostileJson, hostileText, PROTOTYPE_NAMES } from './hostile.ts';

interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly schema: Schema;
}

export interface Operation {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly type: keyof BodyTypes; readonly schema: Schema };
  readonly schemas: Readonly<Record<string, Schema>>;
}

export interface FuzzedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody?: string | Uint8Array;
}

interface BodyTypes {
  readonly 'application/json'?: { readonly schema: Schema };
  readonly 'application/x-www-form-urlencoded'?: { readonly schema: Schema };
}

export function operationsIn(document: Document): readonly Operation[] {
  const schemas = (document.components?.schemas ?? {}) as Readonly<Record<string, Schema>>;
  return operationsOf(document).map(({ operationId, method, path, parameters = [], requestBody }) => ({
    operationId,
    method,
    path,
    parameters,
    schemas,
    ...bodyOf(requestBody?.content),
  }));
}

function bodyOf(content: BodyTypes | undefined): Pick<Operation, 'body'> {
  for (const type of ['application/json', 'application/x-www-form-urlencoded'] as const) {
    const described = content?.[type];
    if (described) return { body: { type, schema: described.schema } };
  }
  return {};
}

/** What the world of the tests holds, so that many a request meets something. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  companyId: ['acme', 'acme', 'acme', 'globex', 'nobody'],
  keyringId: ['default', 'default', 'other'],
  connectionId: ['contoso', 'broken'],
  switchId: ['first', 'other'],
  keyId: ['one', 'two', 'three'],
  vaultUri: [
    'https://contoso.vault.azure.net',
    'https://contoso.vault.azure.net/keys/customer-key/1',
    'https://evil.example',
  ],
  keyName: ['customer-key', 'missing'],
  passphrase: ['correct horse battery staple'],
  page: ['start-consent', 'confirmation-consent', 'failure-again'],
  state: [STATE],
};

const valid = ({ schemas }: Operation, schema: Schema, name?: string): fc.Arbitrary<unknown> =>
  fromSchema(schema, { schemas, known: KNOWN, anything: hostileJson }, name);

/** One field replaced, taken away or put in beside, at the top or one level below it. */
const nearly = (body: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(body, fc.nat(), fc.constantFrom('replace', 'drop', 'add'), hostileText, hostileJson).map(spoilt);

function spoilt([body, position, how, name, value]: [unknown, number, string, string, unknown]): unknown {
  if (Array.isArray(body)) {
    return body.map((one: unknown, index) =>
      index === position % body.length ? spoilt([one, position >> 3, how, name, value]) : one,
    );
  }
  if (typeof body !== 'object' || body === null) return value;
  const entries: [string, unknown][] = Object.entries(body);
  const at = position % Math.max(1, entries.length);
  if (how === 'add') return Object.fromEntries([...entries, [name, value]]);
  if (how === 'drop') return Object.fromEntries(entries.filter((_, index) => index !== at));
  return Object.fromEntries(
    entries.map(([key, held], index) => {
      if (index !== at) return [key, held];
      const inside = typeof held === 'object' && held !== null && position % 2 === 0;
      return [key, inside ? spoilt([held, position >> 3, how, name, value]) : value];
    }),
  );
}

const DEPTH = 100_000;
const HOSTILE_BODIES: readonly (string | Uint8Array)[] = [
  '',
  '{',
  'null',
  '"',
  '[]',
  '{"__proto__":{"keys":[{}]}}',
  '{"keys":1,"keys":[{}]}',
  '{"constructor":{"prototype":{"keys":[{}]}}}',
  '1e400',
  '\ufeff{}',
  '['.repeat(DEPTH) + ']'.repeat(DEPTH),
  '{"keys":'.repeat(DEPTH) + '0' + '}'.repeat(DEPTH),
  `{${Array.from({ length: 5_000 }, (_, index) => `"f${index}":0`).join(',')}}`,
  `{"keys":[${'0,'.repeat(20_000)}0],"keyIds":[${'0,'.repeat(20_000)}0]}`,
  ' '.repeat(1_048_577),
  Uint8Array.of(0xff, 0xfe, 0x7b, 0x7d),
];

/** What HTTP can carry in a header at all. */
const headerText = fc.oneof(
  fc.constantFrom('*', '"Kg"', '"abc"', 'W/"abc"', '"a", "b"', '', 'Bearer x', 'application/json', 'text/plain'),
  fc.string({
    unit: fc.integer({ min: 0x21, max: 0xff }).map((c) => String.fromCharCode(c === 0x7f ? 0x21 : c)),
    maxLength: 60,
  }),
  fc.constant('x'.repeat(20_000)),
);
const HEADERS = [
  'Keyswitch-Actor',
  'If-Match',
  'If-None-Match',
  'Idempotency-Key',
  'Content-Type',
  'Content-Length',
  'Authorization',
  'X-Forwarded-Host',
  'Cookie',
  'Origin',
  'Sec-Fetch-Site',
  '__proto__',
  'constructor',
];

/** Whatever it is, as a form would carry it. */
const asForm = (body: unknown): string =>
  new URLSearchParams(
    Object.entries(body ?? {}).map(([name, value]): [string, string] => [
      name.toWellFormed(),
      (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed(),
    ]),
  ).toString();

/** A path's parameter in a URL; dots would be taken for the way up by whoever reads the URL before us. */
const inUrl = (text: string): string => encodeURIComponent(text.toWellFormed()).replace(/^\.{1,2}$/, 'dots') || 'empty';

export function requestsOf(operation: Operation): fc.Arbitrary<FuzzedRequest> {
  const places = operation.parameters.filter((one) => one.in === 'path');
  const asked = operation.parameters.filter((one) => one.in === 'query');
  const text = (one: Parameter): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 9, arbitrary: valid(operation, one.schema, one.name).map(String) },
      { weight: 1, arbitrary: hostileText },
    );
  const path = fc
    .tuple(...places.map(text))
    .map((values) =>
      values.reduce((at, value, index) => at.replace(`{${places[index]?.name}}`, () => inUrl(value)), operation.path),
    );
  const pair = (one: Parameter): fc.Arbitrary<[string, string]> => text(one).map((value) => [one.name, value]);
  const stray = fc.tuple(fc.oneof(fc.constantFrom(...PROTOTYPE_NAMES), hostileText), hostileText);
  const query = fc.oneof(
    { weight: 5, arbitrary: fc.constant<[string, string][]>([]) },
    {
      weight: 3,
      arbitrary:
        asked.length > 0
          ? fc.subarray([...asked]).chain((some) => fc.tuple(...some.map(pair)))
          : fc.constant<[string, string][]>([]),
    },
    {
      weight: 1,
      arbitrary: fc.array(asked.length > 0 ? fc.oneof(stray, ...asked.map(pair)) : stray, { maxLength: 3 }),
    },
  );
  const headers = fc.oneof(
    { weight: 4, arbitrary: fc.constant<Record<string, string>>({}) },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...HEADERS), headerText, { maxKeys: 2 }) },
  );
  const wanted = operation.body === undefined ? fc.constant<unknown>({}) : valid(operation, operation.body.schema);
  const type = operation.body?.type ?? 'application/json';
  const written = type === 'application/json' ? (body: unknown): string => JSON.stringify(body) : asForm;
  const rawBody: fc.Arbitrary<string | Uint8Array | undefined> =
    operation.method === 'GET' || operation.method === 'DELETE'
      ? fc.constant(undefined)
      : fc.oneof(
          { weight: 5, arbitrary: wanted.map(written) },
          { weight: 4, arbitrary: nearly(wanted).map(written) },
          {
            weight: 2,
            arbitrary: fc.oneof(fc.constantFrom(...HOSTILE_BODIES), hostileJson.map(written), fc.constant(undefined)),
          },
        );
  return fc.record({ path, query, headers, rawBody }).map((made) => ({
    path: made.query.length === 0 ? made.path : `${made.path}?${new URLSearchParams(made.query).toString()}`,
    headers: made.rawBody === undefined ? made.headers : { 'Content-Type': type, ...made.headers },
    ...(made.rawBody === undefined ? {} : { rawBody: made.rawBody }),
  }));
}
