import { expect, it } from 'vitest';
import { testBody, testToBody } from '../../../functions/http/resources/connections/bodies.ts';
import { CONNECTION_CHECKS } from '../../../shared/domain/connection-verdict.ts';

it('tells the checks of a connection test in their order, by their names in the API', () => {
  const checks = CONNECTION_CHECKS.map((check) => ({ check, outcome: 'passed' as const }));
  const test = { status: 'green' as const, checks, testedAt: '2026-01-01T00:00:00.000Z' };
  const told = testBody.parse(testToBody(test, { isVendorAdmin: false }));
  expect(told.checks.map(({ check }) => check)).toEqual([
    'input',
    'dns-tls',
    'challenge',
    'consent',
    'entra-token',
    'key-read',
    'key-fit',
    'unwrap',
    'compare',
    'in-use',
    'claim',
  ]);
});
