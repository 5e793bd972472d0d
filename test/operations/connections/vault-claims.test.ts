// Which company a vault key belongs to, and how it is released.
import { describe, expect, it } from 'vitest';
import { claimCells, readClaim } from '../../../shared/store/rows/claim-rows.ts';
import { KEYSWITCH } from '../../../shared/domain/audit.ts';
import { CLAIM_ROW_KEY, claimPartition, connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import {
  claimVaultKey,
  getClaim,
  lackOfClaim,
  releaseClaim,
} from '../../../shared/operations/connections/vault-claims.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { COMPANY, CONNECTION, ConnectionWorld, HOST, OTHER_HOST, TENANT } from './connection-world.ts';
import { chainOf } from '../audit/chain.ts';
import { codeOf } from '../sign-ins/walk.ts';

const KEY = { host: HOST, keyName: 'main-key' };
const OURS = { ...KEY, companyId: COMPANY };
const THEIRS = { ...KEY, companyId: 'globex' };
const NAMES_IT = connectionRowKey(CONNECTION);

/** Both companies have a connection that names the key. */
async function connected(): Promise<ConnectionWorld> {
  const world = new ConnectionWorld();
  await world.put({ tenantId: TENANT });
  const { cells } = world.store.peek('companies', COMPANY, NAMES_IT)!;
  world.store.tamper('companies', 'globex', NAMES_IT, cells);
  return world;
}

async function claimed(): Promise<ConnectionWorld> {
  const world = new ConnectionWorld();
  await world.put({ tenantId: TENANT });
  expect(codeOf(await claimVaultKey(world.deps, OURS))).toBeUndefined();
  return world;
}

describe('a claim to a vault key', () => {
  it('is made once; the same company may make it again, and another may not', async () => {
    const world = await claimed();
    expect(codeOf(await claimVaultKey(world.deps, OURS))).toBeUndefined();
    expect(codeOf(await claimVaultKey(world.deps, THEIRS))).toBe('vault-key-in-use');
    expect(await getClaim(world.deps, KEY)).toMatchObject({ value: { value: { companyId: COMPANY, state: 'held' } } });
  });

  it('goes to one of two companies that ask at once', async () => {
    const world = await connected();
    const both = await Promise.all([claimVaultKey(world.deps, OURS), claimVaultKey(world.deps, THEIRS)]);
    expect(both.map(codeOf).toSorted()).toEqual(['vault-key-in-use', undefined]);
  });

  it.each([
    ['is deleted', () => undefined],
    ['points elsewhere', (cells: Cells) => ({ ...cells, host: OTHER_HOST })],
  ] as const)('ends with its connection, once that %s', async (_, change) => {
    const world = await claimed();
    const row = (await world.tables.read('companies', COMPANY, NAMES_IT))!;
    const cells = (change as (cells: Cells) => Cells | undefined)(row.cells);
    if (cells) world.store.tamper('companies', COMPANY, NAMES_IT, cells);
    else await world.tables.write('companies', COMPANY, [{ kind: 'delete', rowKey: NAMES_IT, etag: row.etag }]);
    expect(codeOf(await claimVaultKey(world.deps, THEIRS))).toBeUndefined();
    expect(await getClaim(world.deps, KEY)).toMatchObject({ value: { value: { companyId: 'globex', state: 'held' } } });
    expect((await lackOfClaim(world.deps, OURS))?.code).toBe('vault-key-in-use');
  });

  it.each(['held', 'releasing'] as const)(
    'that is %s stays where a connection names the key while it is looked at',
    async (state) => {
      const world = await claimed();
      const row = (await world.tables.read('companies', COMPANY, NAMES_IT))!;
      await world.tables.write('companies', COMPANY, [{ kind: 'delete', rowKey: NAMES_IT, etag: row.etag }]);
      const before = { companyId: COMPANY, state, claimedAt: '2026-01-01T00:00:00.000Z' };
      world.store.tamper('vaultkeys', claimPartition(KEY), CLAIM_ROW_KEY, claimCells(before));
      const tables = tablesBut(world.tables, {
        write: (...write) => {
          world.store.tamper('companies', COMPANY, NAMES_IT, row.cells);
          return world.tables.write(...write);
        },
      });
      expect(codeOf(await claimVaultKey({ ...world.deps, tables }, THEIRS))).toBe('vault-key-in-use');
      expect(await getClaim(world.deps, KEY)).toMatchObject({ value: { value: before } });
    },
  );

  it('is of the key however host and key name are written', async () => {
    const world = await claimed();
    const other = { ...THEIRS, host: HOST.toUpperCase(), keyName: 'MAIN-KEY' };
    expect(codeOf(await claimVaultKey(world.deps, other))).toBe('vault-key-in-use');
  });

  it('is made though the answer of the store is lost', async () => {
    const world = new ConnectionWorld();
    world.tables.atNext().losesTheAnswer();
    expect(codeOf(await claimVaultKey(world.deps, OURS))).toBeUndefined();
    expect(await lackOfClaim(world.deps, OURS)).toBeUndefined();
  });

  it('is missing for whoever does not hold it, and asks for consent where nobody does', async () => {
    const world = await claimed();
    expect((await lackOfClaim(world.deps, THEIRS))?.code).toBe('vault-key-in-use');
    const unclaimed = await lackOfClaim(world.deps, { ...OURS, keyName: 'other' });
    expect(unclaimed).toMatchObject({ code: 'consent-required', kind: 'denied' });
    expect(unclaimed?.cause).toContain('has released the vault key since');
  });
});

describe('releasing a vault key', () => {
  it('lets another company claim it, and is recorded with the company that held it', async () => {
    const world = await claimed();
    expect(codeOf(await releaseClaim(world.deps, KEY, ADMIN))).toBeUndefined();
    expect(codeOf(await claimVaultKey(world.deps, THEIRS))).toBeUndefined();
    const events = chainOf(world.store, COMPANY);
    expect(events.map(({ action }) => action)).toContain('vault-claim.release');
    expect(await lackOfClaim(world.deps, OURS)).toMatchObject({ code: 'vault-key-in-use' });
  });

  it.each(['keyring|default', 'switch|default|s1'])('is refused while %s depends on it', async (user) => {
    const world = await claimed();
    await world.tamper({ usedBy: JSON.stringify([user]) });
    expect(codeOf(await releaseClaim(world.deps, KEY, ADMIN))).toBe('vault-claim-in-use');
    expect(await lackOfClaim(world.deps, OURS)).toBeUndefined();
  });

  it('is refused while it cannot be told whether anything depends on it', async () => {
    const world = await claimed();
    await world.tamper({ seal: 'x' });
    expect(codeOf(await releaseClaim(world.deps, KEY, ADMIN))).toBe('vault-claim-in-use');
  });

  it('that was begun and left can be ended by asking again, and meanwhile nobody may rely on the key', async () => {
    const world = await claimed();
    const row = await world.tables.read('vaultkeys', `${HOST}|main-key`, 'claim');
    const claim = readClaim(row?.cells ?? {});
    world.store.tamper('vaultkeys', `${HOST}|main-key`, 'claim', { ...row?.cells, state: 'releasing' });
    expect(claim.state).toBe('held');
    expect((await lackOfClaim(world.deps, OURS))?.code).toBe('consent-required');
    expect(codeOf(await releaseClaim(world.deps, KEY, ADMIN))).toBeUndefined();
    expect(codeOf(await claimVaultKey(world.deps, OURS))).toBeUndefined();
  });

  it('of a key that nobody holds is not found', async () => {
    const world = new ConnectionWorld();
    expect(codeOf(await releaseClaim(world.deps, KEY, KEYSWITCH))).toBe('not-found');
  });
});
