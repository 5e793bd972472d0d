import { expect, test } from 'vitest';
import { compareNames, createRouteTable } from '../../../local/functions-host/route-table.ts';

const GET = ['GET'];

function find(templates: readonly string[], path: string): string | undefined {
  const routes = templates.map((template, index) => ({ name: `f${index}`, methods: GET, template, target: template }));
  return createRouteTable(routes)('GET', path)?.target;
}

test('of routes that fit, the one whose function is first by name is taken, however much better another fits', () => {
  const routes = [
    { name: 'b-literal', methods: GET, template: 'v1/companies/things', target: 'literal' },
    { name: 'A-rest', methods: GET, template: 'v1/companies/{*rest}', target: 'rest' },
    { name: 'c-all', methods: GET, template: 'v1/{*rest}', target: 'all' },
  ];
  const table = createRouteTable(routes);
  expect(table('GET', '/v1/companies/things')?.target).toBe('rest');
  expect(table('GET', '/v1/companies')?.target).toBe('rest');
  expect(table('GET', '/v1/else')?.target).toBe('all');
  expect(table('GET', '/v1')?.target).toBe('all');
  expect(table('GET', '/v2')).toBeUndefined();
});

test('names are ordered as .NET orders them, without regard to case: - before digits, digits before letters, _ after them', () => {
  const names = ['zz_', 'zz-b', 'b', 'B-1', 'a', 'zza', 'zz', 'b1', 'Z'];
  expect(names.sort(compareNames)).toEqual(['a', 'b', 'B-1', 'b1', 'Z', 'zz', 'zz-b', 'zza', 'zz_']);
});

test('an optional parameter may be left out', () => {
  expect(find(['v1/items/{id?}'], '/v1/items')).toBe('v1/items/{id?}');
  expect(find(['v1/items/{id?}'], '/v1/items/1')).toBe('v1/items/{id?}');
  expect(find(['v1/items/{id?}'], '/v1/items/1/2')).toBeUndefined();
});

test('a route without the method leaves the request to the next that matches', () => {
  const table = createRouteTable([
    { name: 'a', methods: ['PUT'], template: 'v1/{id}', target: 'one' },
    { name: 'b', methods: GET, template: 'v1/{*rest}', target: 'rest' },
  ]);
  expect(table('PUT', '/v1/a')).toEqual({ target: 'one', params: { id: 'a' } });
  expect(table('GET', '/v1/a')).toEqual({ target: 'rest', params: { rest: 'a' } });
  expect(table('POST', '/v1/a')).toBeUndefined();
});

test('what is no valid encoding is passed as it stands', () => {
  const table = createRouteTable([{ name: 'a', methods: GET, template: '{id}', target: 'one' }]);
  expect(table('GET', '/%zz')?.params).toEqual({ id: '%zz' });
  expect(table('GET', '/%C3%A9')?.params).toEqual({ id: 'é' });
});

test.each(['v1/{id:guid}', 'v1/{a}.json', 'v1/{id=5}'])(
  'the template %s is refused rather than misread',
  (template) => {
    expect(() => createRouteTable([{ name: 'a', methods: GET, template, target: 0 }])).toThrow('not supported');
  },
);
