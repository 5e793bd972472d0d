// Whether the Functions host, which takes functions by name and of their routes the first that fits, reaches every route.
import { METHODS as nodeMethods } from 'node:http';
import { expect, test } from 'vitest';
import { AREAS } from '../../../functions/http/kernel/route.ts';
import { LAST, registerReserved, registerRoutes, type HttpApp } from '../../../functions/http/kernel/register.ts';
import { routes, type HttpServices } from '../../../functions/http/routes.ts';
import { compareNames, createRouteTable } from '../../../local/functions-host/route-table.ts';

interface Registered {
  readonly name: string;
  readonly methods: readonly string[];
  readonly template: string;
}

const METHODS = nodeMethods.filter((method) => method !== 'CONNECT');

function registered(): Registered[] {
  const functions: Registered[] = [];
  const app: HttpApp = {
    http: (name, { methods, route }) => void functions.push({ name, methods, template: route ?? name }),
  };
  // Registering asks nothing of the services.
  registerReserved(app, {} as HttpServices);
  registerRoutes(app, routes, {} as HttpServices);
  return functions;
}

const pathOf = (template: string): string => `/${template.replaceAll(/\{\*?(\w+)\}/g, 'a-$1')}`;
const isCatchAll = ({ template }: Registered): boolean => template.includes('{*');

/** `POST v1/a → b`: what is asked for, and the function that the host takes in its stead. */
function shadowed(functions: readonly Registered[]): string[] {
  const find = createRouteTable(functions.map((one) => ({ ...one, target: one.name })));
  return functions.flatMap(({ name, methods, template }) =>
    methods.flatMap((method) => {
      const taken = find(method, pathOf(template))?.target ?? 'nobody';
      return taken === name ? [] : [`${method} ${template} → ${taken}`];
    }),
  );
}

test('the host reaches every function by each of its methods', () => {
  expect(shadowed(registered())).toEqual([]);
});

test('a path of ours with a method that it does not know, and every other path of an area, reach the answer for unknown paths', () => {
  const functions = registered();
  const find = createRouteTable(functions.map((one) => ({ ...one, target: one.name })));
  for (const { template } of functions.filter((one) => !isCatchAll(one))) {
    const known = functions.filter((one) => one.template === template).flatMap(({ methods }) => methods);
    for (const method of METHODS.filter((one) => !known.includes(one))) {
      expect(find(method, pathOf(template))?.target).toBe(`${LAST}unknown-${template.split('/')[0]}-path`);
    }
  }
  for (const area of AREAS) {
    for (const path of [`/${area}`, `/${area}/`, `/${area}/x`, `/${area.toUpperCase()}/x/y/z`]) {
      expect(find('GET', path)?.target).toBe(`${LAST}unknown-${area}-path`);
    }
  }
});

test('the portal and the operator pages are nobody else’s, and no function is named behind the last', () => {
  expect(
    registered()
      .filter((one) => /^(?:portal|operator)\//.test(one.template))
      .map(({ name }) => name),
  ).toEqual([`${LAST}unknown-portal-path`, `${LAST}unknown-operator-path`]);
  for (const one of registered()) {
    if (!isCatchAll(one)) expect(compareNames(one.name, LAST)).toBeLessThan(0);
  }
});

test('a function that is named so that it stands before others is found', () => {
  const misnamed = registered().map((one) =>
    one.name === `${LAST}unknown-api-path` ? { ...one, name: 'unknown-path' } : one,
  );
  expect(shadowed(misnamed)).toEqual([
    'POST api/v1/companies/{companyId}/keyrings/{keyringId}/unwrap → unknown-path',
    'POST api/v1/companies/{companyId}/unwrap → unknown-path',
    'GET api/v1/companies/{companyId}/events/verify → unknown-path',
    'HEAD api/v1/companies/{companyId}/events/verify → unknown-path',
    'GET api/v1/companies/{companyId}/events/{sequence} → unknown-path',
    'HEAD api/v1/companies/{companyId}/events/{sequence} → unknown-path',
    'GET api/v1/events/{sequence} → unknown-path',
    'HEAD api/v1/events/{sequence} → unknown-path',
    'GET api/v1/events/verify → unknown-path',
    'HEAD api/v1/events/verify → unknown-path',
  ]);
  const literalBehind = [
    { name: 'get-thing', methods: ['GET'], template: 'api/v1/things/{id}' },
    { name: 'list-broken-things', methods: ['GET'], template: 'api/v1/things/broken' },
  ];
  expect(shadowed(literalBehind)).toEqual(['GET api/v1/things/broken → get-thing']);
});
