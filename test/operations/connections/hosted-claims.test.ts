// What a claim to a key that the vendor hosts is worth: it is made by an entry alone, which no vault has confirmed, and it takes the key and its vault.
import { beforeEach, describe, expect, it } from 'vitest';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import { putConnection } from '../../../shared/operations/connections/connections.ts';
import { claimVaultKey, getClaim, lackOfClaim } from '../../../shared/operations/connections/vault-claims.ts';
import { lackOfProof } from '../../../shared/operations/switches/gate.ts';
import { claimCells, type VaultClaim } from '../../../shared/store/rows/claim-rows.ts';
import {
  claimPartition,
  CLAIM_ROW_KEY,
  COMPANY_ROW_KEY,
  connectionRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { sealedCompanyCells } from '../../fixtures/sealed-company.ts';
import { codeOf } from '../sign-ins/walk.ts';
import { COMPANY, CONNECTION, ConnectionWorld, HOST, PLACE, TENANT, VENDOR_TENANT } from './connection-world.ts';

const HOSTED = 'hosted-acme.vault.azure.net';
const KEY = 'acme-key';
const RIVAL = 'rival';
const THEIRS = { host: HOST, keyName: 'main-key' };

let world: ConnectionWorld;
beforeEach(() => {
  world = new ConnectionWorld();
  world.vaults.addVault({ host: HOSTED, tenantId: VENDOR_TENANT });
  for (const keyName of [KEY, 'second-key']) world.vaults.addKey({ host: HOSTED, keyName });
  addRival(world);
});

function addRival({ store, vaults }: ConnectionWorld): void {
  const company = { companyId: RIVAL, displayName: 'Rival', defaultKeyring: 'default', state: 'active' } as const;
  const cells = sealedCompanyCells(vaults, { ...company, createdAt: '2026-01-01T00:00:00Z' });
  store.tamper('companies', RIVAL, COMPANY_ROW_KEY, cells);
}

/** As the vendor's admin, whose token may be confined to the company. */
const enter = (companyId: string, host: string, keyName: string): ReturnType<typeof putConnection> => {
  const input = { vaultUri: `https://${host}`, keyName, credential: { kind: 'vendor-hosted' } };
  return putConnection(
    world.deps,
    { companyId, connectionId: CONNECTION, input, condition: {}, byVendor: true },
    ADMIN,
  );
};
const holderOf = async (key: { readonly host: string; readonly keyName: string }): Promise<string | undefined> => {
  const claim = await getClaim(world.deps, key);
  return claim.ok ? claim.value.value.companyId : undefined;
};
const uses = (companyId: string, usedBy: readonly string[]): void => {
  const rowKey = connectionRowKey(CONNECTION);
  const cells = world.store.peek('companies', companyId, rowKey)?.cells ?? {};
  world.store.tamper('companies', companyId, rowKey, { ...cells, usedBy: JSON.stringify(usedBy) });
};
const claimIs = (key: { readonly host: string; readonly keyName: string }, claim: Partial<VaultClaim>): void => {
  const held = { companyId: COMPANY, state: 'held', claimedAt: '2026-01-01T00:00:00.000Z', ...claim } as const;
  world.store.tamper('vaultkeys', claimPartition(key), CLAIM_ROW_KEY, claimCells(held));
};

describe('a key that is entered as hosted for another company before its own consents', () => {
  beforeEach(async () => {
    await world.put({ tenantId: TENANT });
    expect(await enter(RIVAL, HOST, 'main-key')).toMatchObject({ ok: true });
    expect(await holderOf(THEIRS)).toBe(RIVAL);
  });

  it('goes to the company whose consent the vault has confirmed, and stays there', async () => {
    expect(codeOf(await claimVaultKey(world.deps, { companyId: COMPANY, ...THEIRS }))).toBeUndefined();
    expect(await holderOf(THEIRS)).toBe(COMPANY);
    expect(await lackOfClaim(world.deps, { companyId: COMPANY, ...THEIRS })).toBeUndefined();
    expect(codeOf(await enter(RIVAL, HOST, 'main-key'))).toBe('vault-key-in-use');
    const test = await testConnection(world.deps, { companyId: RIVAL, connectionId: CONNECTION }, ADMIN);
    expect(test).toMatchObject({ ok: true, value: { status: 'failed' } });
    expect(world.vaults.calls.map(({ operation }) => operation)).not.toContain('obtainToken');
  });

  it('stays with the one it is entered for while a keyring or switch there uses it: then its vault was the vendor’s', async () => {
    uses(RIVAL, ['keyring|default']);
    expect(codeOf(await claimVaultKey(world.deps, { companyId: COMPANY, ...THEIRS }))).toBe('vault-key-in-use');
    expect(await holderOf(THEIRS)).toBe(RIVAL);
  });

  it('is refused to a third company for which it is entered as well: by entries the first counts', async () => {
    world.store.tamper(
      'companies',
      'third',
      COMPANY_ROW_KEY,
      world.store.peek('companies', RIVAL, COMPANY_ROW_KEY)!.cells,
    );
    expect(codeOf(await enter('third', HOST, 'main-key'))).toBe('vault-key-in-use');
  });
});

describe('a hosted key whose vault is claimed by another company', () => {
  beforeEach(async () => {
    await enter(COMPANY, HOSTED, KEY);
    claimIs({ host: HOSTED, keyName: '*' }, { companyId: RIVAL });
  });

  it('can come about: the other company’s entry fell between two steps of this one', async () => {
    const fresh = new ConnectionWorld();
    world = fresh;
    addRival(fresh);
    fresh.tables
      .atNext(({ table, partitionKey }) => table === 'companies' && partitionKey === COMPANY)
      .comesAfter(() => enter(RIVAL, HOSTED, 'second-key'));
    expect(codeOf(await enter(COMPANY, HOSTED, KEY))).toBe('vault-key-in-use');
    expect([await holderOf({ host: HOSTED, keyName: KEY }), await holderOf({ host: HOSTED, keyName: '*' })]).toEqual([
      COMPANY,
      RIVAL,
    ]);
  });

  it('gets no token at a test', async () => {
    const test = await testConnection(world.deps, PLACE, ADMIN);
    expect(test.ok && test.value.checks.find(({ outcome }) => outcome === 'failed')).toMatchObject({
      check: 'consent',
      failure: { code: 'vault-key-in-use' },
    });
    expect(world.vaults.calls.map(({ operation }) => operation)).not.toContain('obtainToken');
  });

  it('holds its switch at the gate, and makes no wraps', async () => {
    const target = { provider: 'azure-key-vault', connectionId: CONNECTION };
    const proving = { ...world.deps, tables: world.tables, consentMs: 1 };
    expect(await lackOfProof(proving, COMPANY, { kind: 'switch', target })).toMatchObject({ code: 'vault-key-in-use' });
    claimIs({ host: HOSTED, keyName: '*' }, { state: 'releasing' });
    expect(await lackOfProof(proving, COMPANY, { kind: 'switch', target })).toMatchObject({
      code: 'vault-key-unclaimed',
    });
    claimIs({ host: HOSTED, keyName: '*' }, {});
    expect(await lackOfProof(proving, COMPANY, { kind: 'switch', target })).toBeUndefined();
  });
});
