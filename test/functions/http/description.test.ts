import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { API_VERSION } from '../../../functions/http/resources/meta/routes.ts';
import { routes } from '../../../functions/http/routes.ts';
import { FAILURE_CODES } from '../../../shared/failures.ts';
import {
  documentOf,
  exactDocumentOf,
  operationsOf,
  DEPLOYMENT,
  type DescribedBody,
  type Document,
} from '../../fixtures/api-document.ts';
import type { Json as AnyJson } from './api-answer.ts';
import { ApiDescription } from './api-description.ts';

type Json = Readonly<Record<string, unknown>>;

const document = documentOf(routes, API_VERSION);
const operations = operationsOf(document);
const text = JSON.stringify(document);

test('the description is OpenAPI 3.1 of this version, with every route once', () => {
  expect(document.openapi).toBe('3.1.0');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(document.info.version).toBe(version);
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(
    routes.map(({ operationId }) => operationId).sort(),
  );
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(routes.length);
});

test('every operation states its roles, or that it is open, and one scheme says where a token comes from', () => {
  for (const route of routes) {
    const { security, 'x-roles': roles } = operations.find(({ operationId }) => operationId === route.operationId)!;
    expect(roles).toEqual(route.roles === 'open' ? undefined : route.roles.map((role) => `Keyswitch.${role}`));
    expect(security).toEqual(route.roles === 'open' ? [] : [{ entra: [DEPLOYMENT.scope] }]);
  }
  const { tokenUrl, scope } = DEPLOYMENT;
  expect(document.components?.securitySchemes).toMatchObject({
    entra: {
      type: 'oauth2',
      flows: { clientCredentials: { tokenUrl, scopes: { [scope]: expect.any(String) as string } } },
    },
  });
});

test('every parameter of a path is described with its form and an example', () => {
  for (const { path, parameters = [] } of operations) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described = parameters.filter((parameter) => parameter.in === 'path');
    expect(described.map(({ name }) => name)).toEqual(names);
    for (const { schema } of described) expect('pattern' in schema || 'enum' in schema).toBe(true);
  }
});

test('errors are stated: 401 and 403 unless open, 404 below a company, 408, 413 and 415 with a body, 429 where limited', () => {
  const statusesOf = (id: string): string[] =>
    Object.keys(operations.find(({ operationId }) => operationId === id)!.responses);
  expect(statusesOf('get-liveness')).toEqual(['200', '400', '500', '503']);
  expect(statusesOf('test-connection')).toEqual([
    '200',
    '400',
    '401',
    '403',
    '404',
    '408',
    '409',
    '413',
    '415',
    '429',
    '500',
    '503',
  ]);
  expect(statusesOf('put-company')).toContain('412');
});

test('limits are stated: keys per call, items per page, bytes of a body', () => {
  expect(text).toContain('"maxItems":1000');
  expect(text).toContain('1 MiB');
  expect(document.info.description).toContain('1,000 items a page');
});

/** Each schema of a value with its place, those that it refers to included. */
function* reached(
  value: unknown,
  from: Document,
  at: string,
  seen = new Set<string>(),
): Generator<readonly [string, Json]> {
  if (typeof value !== 'object' || value === null) return;
  yield [at, value as Json];
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'example') continue;
    const target = name === '$ref' ? String(inner).split('/').at(-1)! : undefined;
    if (target === undefined) yield* reached(inner, from, `${at}/${name}`, seen);
    else if (seen.size !== seen.add(target).size)
      yield* reached(from.components?.schemas?.[target], from, target, seen);
  }
}

const bodyOf = ({ content }: Pick<DescribedBody, 'content'>): unknown =>
  Object.values(content).map(({ schema }) => schema);
const asked = operations.flatMap(({ operationId, requestBody, parameters = [] }) => [
  ...(requestBody ? reached(bodyOf(requestBody), document, operationId) : []),
  ...parameters.flatMap(({ schema }) => [...reached(schema, document, operationId)]),
]);

const isOpen = (schema: Json): boolean => 'properties' in schema && !('additionalProperties' in schema);

test('no schema of a request takes fields that it does not name, and nothing is answered that no schema names', () => {
  expect(asked.length).toBeGreaterThan(100);
  expect(asked.filter(([, schema]) => isOpen(schema)).map(([at]) => at)).toEqual([]);
  const exact = exactDocumentOf(routes);
  const all = [...schemasOf(exact.components?.schemas), ...schemasOf(exact.paths)];
  expect(all.filter(([, schema]) => isOpen(schema)).map(([at]) => at)).toEqual([]);
});

test('what answers hold can grow: a generated client fails at no member and no word that comes later', () => {
  const kept = new Set(asked.map(([, schema]) => schema));
  const named = document.components?.schemas as Readonly<Record<string, Json>>;
  for (const [, { discriminator, oneOf = [] }] of schemasOf(named)) {
    for (const { $ref } of discriminator === undefined ? [] : (oneOf as { readonly $ref: string }[])) {
      const { propertyName } = discriminator as { readonly propertyName: string };
      const { properties } = named[$ref.split('/').at(-1)!] as { readonly properties: Readonly<Record<string, Json>> };
      for (const [, schema] of reached(properties[propertyName], document, $ref)) kept.add(schema);
    }
  }
  const told = operations.flatMap(({ operationId, responses }) =>
    Object.values(responses).flatMap(({ content }) => [...reached(content, document, operationId)]),
  );
  const closed = told.filter(
    ([, schema]) => !kept.has(schema) && ('enum' in schema || schema['additionalProperties'] === false),
  );
  expect(closed.map(([at]) => at)).toEqual([]);
  expect(named['FailureCode']).toMatchObject({ type: 'string', 'x-extensible-enum': FAILURE_CODES });
  expect(document.info.description).toContain('ignore a member that you do not know');
});

/** Each schema of the description with its place. */
function* schemasOf(value: unknown, at = ''): Generator<readonly [string, Readonly<Record<string, unknown>>]> {
  if (typeof value !== 'object' || value === null) return;
  yield [at, value as Readonly<Record<string, unknown>>];
  for (const [name, inner] of Object.entries(value)) yield* schemasOf(inner, `${at}/${name}`);
}

test('client generators take the description as it is: a license by its identifier, one type for each schema', () => {
  // openapi-generator refuses a license without one, oapi-codegen a schema of several types.
  expect(document.info.license).toMatchObject({ identifier: 'Apache-2.0' });
  expect([...schemasOf(document)].filter(([, { type }]) => Array.isArray(type)).map(([at]) => at)).toEqual([]);
});

test('every alternative has a name, and a field by which clients know which one it is', () => {
  const schemas = document.components?.schemas ?? {};
  const alternatives = [...schemasOf(document)].flatMap(([at, { oneOf, anyOf, discriminator }]) =>
    oneOf === undefined && anyOf === undefined ? [] : [{ at, branches: oneOf ?? anyOf, discriminator }],
  ) as { at: string; branches: { $ref?: string }[]; discriminator?: { mapping?: Record<string, string> } }[];
  expect(alternatives.length).toBeGreaterThanOrEqual(5);
  for (const { at, branches, discriminator } of alternatives) {
    expect(Object.values(discriminator?.mapping ?? {}), at).toEqual(
      expect.arrayContaining(branches.map(({ $ref }) => $ref)),
    );
    for (const { $ref = 'unnamed' } of branches) expect(schemas, at).toHaveProperty($ref.split('/').at(-1)!);
  }
});

test('what operations have in common is described once: no two answers, parameters or headers are the same', () => {
  const inline: string[] = [];
  for (const [at, schema] of schemasOf(document.paths)) {
    const isShared = '$ref' in schema;
    const status = /\/responses\/(\d+)$/.exec(at)?.[1];
    if (status !== undefined && Number(status) >= 400 && !isShared) inline.push(at);
    if (/\/headers\/[^/]+$/.test(at) && !isShared) inline.push(at);
  }
  expect(inline).toEqual([]);
  const parameters = operations.flatMap((one) => one.parameters ?? []).length;
  expect(parameters).toBeGreaterThan(5 * Object.keys(document.components?.parameters ?? {}).length);
  expect(text.length).toBeLessThan(380_000);
});

test('no two types have one name in languages in which parameters, answers and fields with words of their own are types too', () => {
  const pascal = (name: string): string => name.replace(/(?:^|[_-])(\w)/g, (_, first: string) => first.toUpperCase());
  const { schemas = {}, parameters = {}, responses = {}, headers = {} } = document.components ?? {};
  const fields = Object.entries(schemas).flatMap(([name, schema]) =>
    Object.entries(('properties' in schema && schema.properties) || {}).flatMap(([field, inner]) =>
      'enum' in inner ? [name + pascal(field)] : [],
    ),
  );
  const all = [schemas, parameters, responses, headers].flatMap((kind) => Object.keys(kind)).concat(fields);
  const seen = new Set<string>();
  const twice = all.filter((name) => seen.size === seen.add(name.toLowerCase()).size);
  expect(twice).toEqual([]);
});

test('every operation lists the codes of its errors by status, and each is explained once', () => {
  const explained = (document as unknown as Readonly<Record<string, Readonly<Record<string, object>>>>)[
    'x-error-codes'
  ];
  const given = new Set<string>(['route-not-found', 'method-not-allowed']);
  for (const { operationId, responses, 'x-error-codes': codes } of operations) {
    expect(Object.keys(codes), operationId).toEqual(Object.keys(responses).filter((status) => Number(status) >= 400));
    for (const [status, some] of Object.entries(codes)) {
      for (const code of some) {
        given.add(code);
        const askAgain = ['408', '429', '503'].includes(status);
        const when = expect.stringMatching(/\.$/) as string;
        expect(explained?.[code], code).toMatchObject({ status: Number(status), when, askAgain });
      }
    }
  }
  expect(new Set(Object.keys(explained ?? {}))).toEqual(given);
});

test('an answer with a code that its operation does not list does not fit', () => {
  const description = new ApiDescription(routes);
  const answerWith = (code: string) => ({
    status: 409,
    headers: new Headers({ 'x-ms-request-id': 'r', 'x-ms-error-code': code }),
    body: { error: { code, message: 'm' } } as unknown as AnyJson,
    cookies: [],
  });
  description.expectToFit('delete-connection', answerWith('connection-in-use'), 'DELETE');
  expect(() => description.expectToFit('delete-connection', answerWith('data-key-lost'), 'DELETE')).toThrow(
    /codes of delete-connection 409/,
  );
});

test('Retry-After is a number', () => {
  const headers = Object.entries(document.components?.headers ?? {});
  const waits = headers.filter(([name]) => name.endsWith('RetryAfter'));
  expect(waits.map(([, header]) => header)).toMatchObject([
    { schema: { type: 'integer' } },
    { schema: { type: 'integer' } },
  ]);
  expect(document.components?.headers?.['PollAfter']).toMatchObject({ schema: { type: 'integer' } });
});

test('every body of JSON has an example that its schema takes', () => {
  const description = new ApiDescription(routes);
  const named = (document.components?.schemas ?? {}) as Readonly<Record<string, { readonly example?: unknown }>>;
  const exampleOf = (schema: { readonly $ref?: string }): unknown => {
    const name = schema.$ref?.split('/').at(-1) ?? '';
    const item = /^(\w+)Page$/.exec(name)?.[1];
    return item === undefined ? named[name]?.example : { value: [named[item]?.example] };
  };
  const without = new Set<string>();
  for (const { operationId, requestBody, responses } of operations) {
    for (const one of [requestBody, ...Object.values(responses)]) {
      const body = one?.content?.['application/json'];
      if (!body) continue;
      const { example = exampleOf(body.schema) } = body;
      if (example === undefined) without.add(JSON.stringify(body.schema));
      else expect(description.faultsOf(body.schema, example), operationId).toEqual([]);
    }
  }
  // A body without fields, and the description itself.
  expect([...without]).toEqual([expect.stringContaining('"properties":{}'), expect.stringContaining('propertyNames')]);
});

test('every tag is described', () => {
  const described = (document.tags ?? []).filter(({ description = '' }) => description !== '').map(({ name }) => name);
  expect(new Set(operations.flatMap(({ tags }) => tags))).toEqual(new Set(described));
});

test('it says what a backend must know of its keys: what each outcome asks for, what a repeat answers, what to keep', () => {
  const { WhyNotOpened: why } = (document.components?.schemas ?? {}) as Record<
    string,
    { enum: string[]; description: string }
  >;
  for (const outcome of why?.enum ?? ['missing']) expect(why?.description).toContain(`\`${outcome}\``);
  const created = operations.find(({ operationId }) => operationId === 'create-data-keys')?.description;
  for (const said of ['A repeat with the same Idempotency-Key', 'unwrapping them tells'])
    expect(created).toContain(said);
  for (const said of [
    'Callers need not keep it',
    'Upper and lower case are two',
    'the same for another keyring, is 409',
  ])
    expect(text).toContain(said);
});

test('it says how to get a token, when to ask again and what each kind of failure means, and one error has one schema', () => {
  expect(document.info.description).toContain('client-credentials');
  expect(document.info.description).toContain('Ask again after an error if, and only if, it carries Retry-After');
  const { Error: error, Failure: failed } = document.components?.schemas ?? {};
  expect(error).toMatchObject({ properties: { error: { $ref: '#/components/schemas/ErrorOfOne' } } });
  for (const kind of ['input', 'transient', 'propagating', 'denied', 'warning', 'integrity'])
    expect(JSON.stringify((failed as { properties: { kind: unknown } }).properties.kind)).toContain(`\`${kind}\``);
});
