import { expect, test } from 'vitest';
import { createRouteTable } from '../../../local/functions-host/route-table.ts';

const GET = ['GET'];

function find(templates: readonly string[], path: string): string | undefined {
  const routes = templates.map((template) => ({ methods: GET, template, target: template }));
  return createRouteTable(routes)('GET', path)?.target;
}

test('a literal wins over a parameter and a parameter over a catch-all, whatever their order', () => {
  const templates = ['v1/{*rest}', 'v1/{a}/things', 'v1/companies/{b}', 'v1/companies/things'];
  expect(find(templates, '/v1/companies/things')).toBe('v1/companies/things');
  expect(find(templates, '/v1/companies/other')).toBe('v1/companies/{b}');
  expect(find(templates, '/v1/else/things')).toBe('v1/{a}/things');
  expect(find(templates, '/v1/else/other')).toBe('v1/{*rest}');
  expect(find(templates, '/v1')).toBe('v1/{*rest}');
  expect(find(templates, '/v2')).toBeUndefined();
});

test('an optional parameter may be left out', () => {
  expect(find(['v1/items/{id?}'], '/v1/items')).toBe('v1/items/{id?}');
  expect(find(['v1/items/{id?}'], '/v1/items/1')).toBe('v1/items/{id?}');
  expect(find(['v1/items/{id?}'], '/v1/items/1/2')).toBeUndefined();
});

test('a route without the method leaves the request to the next that matches', () => {
  const table = createRouteTable([
    { methods: ['PUT'], template: 'v1/{id}', target: 'one' },
    { methods: GET, template: 'v1/{*rest}', target: 'rest' },
  ]);
  expect(table('PUT', '/v1/a')).toEqual({ target: 'one', params: { id: 'a' } });
  expect(table('GET', '/v1/a')).toEqual({ target: 'rest', params: { rest: 'a' } });
  expect(table('POST', '/v1/a')).toBeUndefined();
});

test('what is no valid encoding is passed as it stands', () => {
  const table = createRouteTable([{ methods: GET, template: '{id}', target: 'one' }]);
  expect(table('GET', '/%zz')?.params).toEqual({ id: '%zz' });
  expect(table('GET', '/%C3%A9')?.params).toEqual({ id: 'é' });
});

test.each(['v1/{id:guid}', 'v1/{a}.json', 'v1/{id=5}'])(
  'the template %s is refused rather than misread',
  (template) => {
    expect(() => createRouteTable([{ methods: GET, template, target: 0 }])).toThrow('not supported');
  },
);
