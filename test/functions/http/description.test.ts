import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { API_VERSION } from '../../../functions/http/meta.ts';
import { describeApi } from '../../../functions/http/openapi.ts';
import { routes } from '../../../functions/http/routes.ts';

interface Operation {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: object }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

const document = describeApi(routes, API_VERSION);
const operations = Object.values(document.paths ?? {}).flatMap((item) => Object.values(item) as Operation[]);

test('the description is OpenAPI 3.1 of this version, with every route once', () => {
  expect(document.openapi).toBe('3.1.0');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(document.info.version).toBe(version);
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(
    routes.map(({ operationId }) => operationId).sort(),
  );
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(routes.length);
});

test('every operation states its roles, or that it is open', () => {
  for (const route of routes) {
    const { security } = operations.find(({ operationId }) => operationId === route.operationId)!;
    const stated = security.map((one) => one['bearer']?.[0]);
    expect(stated).toEqual(route.roles === 'open' ? [] : route.roles.map((role) => `Keyswitch.${role}`));
  }
});

test('every parameter of a path is described with its form', () => {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const operation of Object.values(item) as Operation[]) {
      const described = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(described.map(({ name }) => name)).toEqual(names);
      for (const parameter of described) expect(parameter.schema).toHaveProperty('pattern');
    }
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
  const text = JSON.stringify(document);
  expect(text).toContain('"maxItems":1000');
  expect(text).toContain('1 MiB');
  expect(document.info.description).toContain('1,000 items a page');
});

test('no schema takes fields that it does not name', () => {
  const open: string[] = [];
  const walk = (value: unknown, at: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('properties' in value && !('additionalProperties' in value)) open.push(at);
    for (const [name, inner] of Object.entries(value)) walk(inner, `${at}/${name}`);
  };
  walk(document.components?.schemas, 'schemas');
  for (const operation of operations) walk(operation, operation.operationId);
  expect(open).toEqual([]);
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

test('it says how to get a token, when to ask again and what each kind of failure means, and one error has one schema', () => {
  expect(document.info.description).toContain('/oauth2/v2.0/token');
  expect(document.info.description).toContain('Ask again after an error if, and only if, it carries Retry-After');
  const { Error: error, Failure: failed } = document.components?.schemas ?? {};
  expect(error).toMatchObject({ properties: { error: { $ref: '#/components/schemas/ErrorOfOne' } } });
  for (const kind of ['input', 'transient', 'propagating', 'denied', 'warning', 'integrity'])
    expect(JSON.stringify((failed as { properties: { kind: unknown } }).properties.kind)).toContain(`\`${kind}\``);
});
