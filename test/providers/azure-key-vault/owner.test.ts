// Which tenant a vault belongs to: its own word, and nobody else's.
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../shared/domain/failure.ts';
import { ok } from '../../../shared/domain/result.ts';
import type { KeyProbe } from '../../../shared/providers/provider.ts';
import { FakeClock } from '../../fakes/fake-system.ts';
import { FakeVaults } from '../../fakes/fake-vaults.ts';
import { providersOver } from '../../fakes/providers.ts';
import { HOST, OTHER_TENANT, TENANT } from '../../operations/connections/connection-world.ts';
import { errorOf, VENDOR } from '../../operations/data-keys/world.ts';

function vaultOf(tenantId: string): FakeVaults {
  const vaults = new FakeVaults();
  vaults.addVault({ host: HOST, tenantId });
  return vaults;
}

const KEY = { host: HOST, keyName: 'main-key' };
const ownerOf = (vaults: FakeVaults, pinned: { readonly tenantId?: string } = {}): ReturnType<KeyProbe['owner']> =>
  providersOver({ vaults, vendor: VENDOR, clock: new FakeClock() })
    .of({ provider: 'azure-key-vault' })
    .probe.owner({ ...KEY, ...pinned });

const LETTERS = 'abcdef00-0000-4000-8000-00000000000a';

describe('the tenant of a vault', () => {
  it.each([
    ['as it names it', TENANT, {}, TENANT],
    ['in lower case, however it writes it', LETTERS.toUpperCase(), {}, LETTERS],
    ['where it is the one that the connection is pinned to', TENANT, { tenantId: TENANT }, TENANT],
    ['where only the letters are larger', LETTERS.toUpperCase(), { tenantId: LETTERS }, LETTERS],
  ])('is told %s', async (_what, named, pinned, told) => {
    expect(await ownerOf(vaultOf(named), pinned)).toEqual(ok(told));
  });

  it('is refused where the connection is pinned to another, and the other is named', async () => {
    const refused = errorOf(await ownerOf(vaultOf(OTHER_TENANT), { tenantId: TENANT }));
    expect(refused).toMatchObject({ kind: 'denied', code: 'wrong-entra-tenant' });
    expect(refused.facts.detail).toBe(`the vault names the tenant ${OTHER_TENANT}`);
  });

  it.each(['', 'common', 'contoso.example', `${TENANT}/..`])(
    'is none that a request could be sent to where it is not an id: "%s"',
    async (named) => {
      const refused = errorOf(await ownerOf(vaultOf(named)));
      expect(refused.code).toBe('vault-error');
      expect(refused.facts.detail).toBe('its challenge names no tenant');
    },
  );

  it.each(['vault-unreachable', 'vault-private-only'] as const)(
    'is not known of a vault that does not answer: %s',
    async (failure: FailureCode) => {
      const vaults = vaultOf(TENANT);
      vaults.fail({ operation: 'challengedTenant', failure });
      expect(errorOf(await ownerOf(vaults, { tenantId: TENANT })).code).toBe(failure);
    },
  );

  it('is asked for without any token', async () => {
    const vaults = vaultOf(TENANT);
    await ownerOf(vaults);
    expect(vaults.calls.map(({ operation }) => operation)).toEqual(['challengedTenant']);
  });
});
