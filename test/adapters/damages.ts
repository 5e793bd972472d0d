// What gateways, proxies and faults make of an answer of Table Storage. None leaves an answer of the same meaning that differs, so
// whoever believes one is wrong.
import fc from 'fast-check';
import type { Answer } from './damaging-proxy.ts';

export type Damage = (answer: Answer) => Answer;

const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';
const ERROR = { 'odata.error': { code: 'InternalError', message: { lang: 'en-US', value: '0:words' } } };
const BODIES = [
  '',
  '{}',
  '[]',
  'null',
  '"x"',
  '{"value":null}',
  '{"value":[]}',
  '{"value":[null]}',
  '{"value":{}}',
  HTML,
];
const TYPES = [
  '',
  'text/html',
  'text/plain; charset=utf-8',
  'application/xml',
  'application/octet-stream',
  'multipart/mixed',
];
const STATUSES = [
  200, 201, 202, 203, 204, 206, 301, 302, 304, 400, 401, 403, 404, 407, 409, 412, 418, 429, 500, 502, 503,
];

const named = (name: string, damage: Damage): { readonly name: string; readonly damage: Damage } => ({ name, damage });
type Named = ReturnType<typeof named>;

/** Damages to the JSON of an answer; an answer without JSON is replaced by HTML. */
const ofJson =
  (change: (body: Record<string, unknown>) => unknown): Damage =>
  (answer) => {
    try {
      const body = JSON.parse(answer.body) as Record<string, unknown>;
      return { ...answer, body: JSON.stringify(change(body)) };
    } catch {
      return { ...answer, body: HTML };
    }
  };

/** To the entity itself, or to one in the list. */
const ofEntity = (at: number, change: (entity: Record<string, unknown>) => unknown): Damage =>
  ofJson((body) => {
    const { value } = body;
    if (!Array.isArray(value)) return change(body);
    if (value.length === 0) return { ...body, value: [change({})] };
    return {
      ...body,
      value: value.map((entity, index) => (index === at % value.length ? change(entity as never) : entity) as unknown),
    };
  });

const without = (record: Record<string, unknown>, ...names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));

const ofBody = (name: string, change: (body: string) => string): Named =>
  named(name, (answer) => ({ ...answer, body: change(answer.body) }));

const ofHeaders = (name: string, change: Readonly<Record<string, string | undefined>>): Named =>
  named(name, (answer) => ({
    ...answer,
    headers: Object.fromEntries(
      Object.entries({ ...answer.headers, ...change }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    ),
  }));

/** Whatever may befall any answer. */
const anyAnswer: fc.Arbitrary<Named> = fc.oneof(
  fc
    .double({ min: 0, max: 0.999, noNaN: true })
    .map((share) =>
      ofBody(`cut at ${share}`, (body) => body.trimEnd().slice(0, Math.floor(body.trimEnd().length * share))),
    ),
  fc.double({ min: 0, max: 1, noNaN: true }).map((share) =>
    named(`connection cut at ${share}`, (answer) => ({
      ...answer,
      body: answer.body.slice(0, Math.floor(answer.body.length * share)),
      isCut: true,
    })),
  ),
  fc.constantFrom(...BODIES).map((body) => ofBody(`body ${body}`, () => body)),
  fc.constantFrom(...STATUSES).map((status) =>
    named(`HTML with ${status}`, (answer) => ({
      ...answer,
      status,
      headers: { ...answer.headers, 'content-type': 'text/html' },
      body: HTML,
    })),
  ),
  fc
    .constantFrom(...STATUSES)
    .map((status) => named(`nothing with ${status}`, (answer) => ({ ...answer, status, body: '' }))),
  fc.constantFrom(200, 202).map((status) =>
    named(`an error with ${status}`, (answer) => ({
      ...answer,
      status,
      headers: { ...answer.headers, 'content-type': 'application/json' },
      body: JSON.stringify(ERROR),
    })),
  ),
  fc.constantFrom(...TYPES).map((type) => ofHeaders(`content type ${type}`, { 'content-type': type })),
  fc
    .constantFrom('x-ms-client-request-id', 'x-ms-version')
    .map((name) => ofHeaders(`without ${name}`, { [name]: undefined })),
  fc.constant(
    ofHeaders('an answer to another request', { 'x-ms-client-request-id': '11111111-1111-4111-8111-111111111111' }),
  ),
  fc.constant(ofBody('told twice', (body) => body + body)),
);

const ENTITY_NAMES = ['PartitionKey', 'RowKey', 'odata.etag'];

/** To the answer to a read or a list. */
export const damageToRows: fc.Arbitrary<Named> = fc.oneof(
  anyAnswer,
  fc.constantFrom(...ENTITY_NAMES).chain((name) =>
    fc.nat(3).map((at) =>
      named(
        `entity ${at} without ${name}`,
        ofEntity(at, (entity) => without(entity, name)),
      ),
    ),
  ),
  fc.constantFrom(...ENTITY_NAMES).chain((name) =>
    fc.constantFrom<unknown>(null, 7, '', 'other', {}, []).map((value) =>
      named(
        `entity whose ${name} is ${JSON.stringify(value)}`,
        ofEntity(0, (entity) => ({ ...entity, [name]: value })),
      ),
    ),
  ),
  fc.constantFrom<unknown>(null, {}, [], [1]).map((value) =>
    named(
      `a cell that is ${JSON.stringify(value)}`,
      ofEntity(1, (entity) => ({ ...entity, number: value })),
    ),
  ),
  fc.constantFrom<unknown>('no base64!', 'QQ', 7, null).map((value) =>
    named(
      `bytes that are ${JSON.stringify(value)}`,
      ofEntity(0, (entity) => ({ ...entity, bytes: value, 'bytes@odata.type': 'Edm.Binary' })),
    ),
  ),
  fc.constant(
    named(
      'bytes that are gone',
      ofEntity(0, (entity) => without(entity, 'bytes')),
    ),
  ),
  fc.constant(
    named(
      'without metadata',
      ofJson((body) => {
        const bare = (record: Record<string, unknown>): unknown =>
          Object.fromEntries(Object.entries(record).filter(([name]) => !name.includes('odata.')));
        const { value } = body;
        return Array.isArray(value) ? { value: value.map((entity) => bare(entity as never)) } : bare(body);
      }),
    ),
  ),
  fc.constantFrom('datakeys', 'Tables', 'companies2').map((table) =>
    named(
      `of ${table}`,
      ofJson((body) => ({ ...body, 'odata.metadata': `https://other.table.core.windows.net/$metadata#${table}` })),
    ),
  ),
  fc.constantFrom('value', 'odata.metadata').map((name) =>
    named(
      `without ${name}`,
      ofJson((body) => (Array.isArray(body['value']) ? without(body, name) : without(body, 'odata.metadata'))),
    ),
  ),
  fc.constant(
    named(
      'rows backwards',
      ofJson((body) =>
        Array.isArray(body['value']) && body['value'].length > 1 ? { ...body, value: body['value'].toReversed() } : {},
      ),
    ),
  ),
  fc.constant(
    named(
      'a row twice',
      ofJson((body) =>
        Array.isArray(body['value']) && body['value'].length > 0
          ? { ...body, value: [...(body['value'] as unknown[]), body['value'].at(-1)] }
          : {},
      ),
    ),
  ),
  fc.constant(
    named(
      'a list for a row, a row for a list',
      ofJson((body) => (Array.isArray(body['value']) ? (body['value'][0] ?? {}) : { ...body, value: [body] })),
    ),
  ),
  // Only where a page goes on at all: a continuation says no more than that it does.
  fc.constantFrom('1!8!b3RoZXI-', 'b3RoZXI=', '!', '1!0!').map((token) =>
    named(`a foreign continuation ${token}`, (answer) =>
      answer.headers['x-ms-continuation-nextpartitionkey'] === undefined
        ? answer
        : {
            ...answer,
            headers: {
              ...answer.headers,
              'x-ms-continuation-nextpartitionkey': token,
              'x-ms-continuation-nextrowkey': token,
            },
          },
    ),
  ),
);

const END = /\r\n--changesetresponse_[^\r\n]*--/;
const PART = /--changesetresponse_\S+\r\nContent-Type: application\/http\r\n[\s\S]*?(?=--changesetresponse_)/;

/** To the answer to a transaction. */
export const damageToOutcome: fc.Arbitrary<Named> = fc.oneof(
  anyAnswer,
  fc.constant(ofBody('a part too few', (body) => body.replace(PART, ''))),
  fc.constant(ofBody('a part too many', (body) => body.replace(PART, (part) => part + part))),
  fc
    .constantFrom(200, 201, 202, 304)
    .map((status) => ofBody(`a part with ${status}`, (body) => body.replace(/HTTP\/1\.1 \d{3}/, `HTTP/1.1 ${status}`))),
  fc.constant(
    ofBody('a part without its ETag', (body) => (/ETag: .*\r\n/.test(body) ? body.replace(/ETag: .*\r\n/, '') : '')),
  ),
  fc
    .constantFrom('*', 'x', '')
    .map((etag) =>
      ofBody(`an ETag ${etag}`, (body) =>
        /ETag: .*\r\n/.test(body) ? body.replace(/ETag: .*\r\n/, `ETag: ${etag}\r\n`) : '',
      ),
    ),
  fc.constant(ofBody('without its end', (body) => body.replace(END, ''))),
  fc.constant(ofBody('line breaks of another system', (body) => body.replaceAll('\r\n', '\n'))),
  fc.constant(
    ofBody('parts of another type', (body) =>
      body.replace('Content-Type: application/http', 'Content-Type: text/plain'),
    ),
  ),
  fc.constant(
    ofBody('parts of another boundary', (body) => body.replace('--changesetresponse_', '--changesetresponseX_')),
  ),
  fc.constant(
    ofBody('a refusal that no write can have', (body) =>
      body
        .replace(/EntityAlreadyExists|UpdateConditionNotSatisfied/, 'ResourceNotFound')
        .replace('HTTP/1.1 204', 'HTTP/1.1 404'),
    ),
  ),
  fc
    .constantFrom('9', '77', '')
    .map((index) =>
      ofBody(`a refusal of write ${index}`, (body) =>
        body.includes('"1:The') ? body.replace('"1:The', `"${index}:The`) : '',
      ),
    ),
  fc.constant(
    ofBody('a refusal with another status', (body) =>
      body.replace('HTTP/1.1 409', 'HTTP/1.1 412').replace('HTTP/1.1 204', 'HTTP/1.1 409'),
    ),
  ),
  fc
    .constantFrom(200, 201, 204, 207)
    .map((status) => named(`parts with ${status}`, (answer) => ({ ...answer, status }))),
);
