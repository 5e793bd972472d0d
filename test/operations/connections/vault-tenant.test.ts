// Which tenant a vault belongs to: its own word, and nobody else's.
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../shared/domain/failure.ts';
import { ok } from '../../../shared/domain/result.ts';
import { tenantOfVault } from '../../../shared/operations/connections/vault-tenant.ts';
import { FakeVaults } from '../../fakes/fake-vaults.ts';
import { HOST, OTHER_TENANT, TENANT } from './connection-world.ts';
import { errorOf } from '../data-keys/world.ts';

function vaultOf(tenantId: string): FakeVaults {
  const vaults = new FakeVaults();
  vaults.addVault({ host: HOST, tenantId });
  return vaults;
}

const LETTERS = 'abcdef00-0000-4000-8000-00000000000a';

describe('the tenant of a vault', () => {
  it.each([
    ['as it names it', TENANT, {}, TENANT],
    ['in lower case, however it writes it', LETTERS.toUpperCase(), {}, LETTERS],
    ['where it is the one that the connection is pinned to', TENANT, { tenantId: TENANT }, TENANT],
    ['where only the letters are larger', LETTERS.toUpperCase(), { tenantId: LETTERS }, LETTERS],
  ])('is told %s', async (_what, named, pinned, told) => {
    expect(await tenantOfVault(vaultOf(named), { host: HOST, ...pinned })).toEqual(ok(told));
  });

  it('is refused where the connection is pinned to another, and the other is named', async () => {
    const refused = errorOf(await tenantOfVault(vaultOf(OTHER_TENANT), { host: HOST, tenantId: TENANT }));
    expect(refused).toMatchObject({ kind: 'denied', code: 'wrong-entra-tenant' });
    expect(refused.facts.detail).toBe(`the vault names the tenant ${OTHER_TENANT}`);
  });

  it.each(['', 'common', 'contoso.example', `${TENANT}/..`])(
    'is none that a request could be sent to where it is not an id: "%s"',
    async (named) => {
      const refused = errorOf(await tenantOfVault(vaultOf(named), { host: HOST }));
      expect(refused.code).toBe('vault-error');
      expect(refused.facts.detail).toBe('its challenge names no tenant');
    },
  );

  it.each(['vault-unreachable', 'vault-private-only'] as const)(
    'is not known of a vault that does not answer: %s',
    async (failure: FailureCode) => {
      const vaults = vaultOf(TENANT);
      vaults.fail({ operation: 'challengedTenant', failure });
      expect(errorOf(await tenantOfVault(vaults, { host: HOST, tenantId: TENANT })).code).toBe(failure);
    },
  );

  it('is asked for without any token', async () => {
    const vaults = vaultOf(TENANT);
    await tenantOfVault(vaults, { host: HOST });
    expect(vaults.calls.map(({ operation }) => operation)).toEqual(['challengedTenant']);
  });
});
