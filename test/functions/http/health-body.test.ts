import { expect, test } from 'vitest';
import { healthToBody } from '../../../functions/http/resources/connections/look-bodies.ts';
import type { VaultHealth } from '../../../shared/domain/health.ts';
import { failure } from '../../../shared/failures.ts';

const AT = '2026-06-01T00:00:00.000Z';
const FACTS = { vaultHost: 'hosted-acme.vault.azure.net', keyName: 'k', appId: '7e5d0000-0000-4000-8000-0000000000d1' };

function shown(facts: object, isVendorAdmin: boolean): unknown {
  const { code, owner, message, cause, remedy } = failure('access-denied-rbac', facts);
  const health: VaultHealth = {
    ...{ state: 'unreachable', since: AT, checkedAt: AT, sightings: 0, warnings: [], keyVersions: [] },
    ...{ code, owner, message, cause, remedy },
  };
  return healthToBody(health, { isVendorAdmin }).remedy;
}

test('commands for a vault that the vendor hosts are for its operators, and those for a vault of its own for the company', () => {
  const command = { azureCli: expect.stringContaining('az role assignment create') as unknown };
  const hosted = { ...FACTS, hostedByVendor: true };
  expect(shown(hosted, true)).toMatchObject(command);
  expect(shown(hosted, false)).toEqual({ text: expect.stringMatching(/^Nothing is for the company to do/) as unknown });
  expect(shown(FACTS, false)).toMatchObject(command);
});
