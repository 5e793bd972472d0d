// A vault that lost its name is told from a network of ours that finds no names.
import { beforeEach, expect, it } from 'vitest';
import type { FailureCode } from '../../../shared/domain/failure.ts';
import type { Look } from '../../../shared/domain/health.ts';
import { classifyVaultAnswer } from '../../../shared/providers/azure-key-vault/answers.ts';
import { failure } from '../../../shared/failures.ts';
import { OwnNetwork } from '../../../shared/operations/watch/own-network.ts';
import { TestWorld, VENDOR } from '../../world.ts';

const GOOD: Look = { outcome: 'good', warnings: [] };
const failed = (code: FailureCode): Look => ({
  outcome: 'failed',
  failure: failure(code, code === 'vault-not-found' ? { nameGone: true } : {}),
  warnings: [],
});
const GONE = failed('vault-not-found');
const SILENT = failed('vault-unreachable');

let world: TestWorld;
let network: OwnNetwork;
beforeEach(() => {
  world = new TestWorld();
  network = new OwnNetwork({ clock: world.clock, providers: world.providers() });
});

/** Each company has one vault. */
const ofCompany = (index: number): { readonly companyId: string; readonly host: string } => ({
  companyId: `company-${index}`,
  host: `vault-${index}.example`,
});

async function codesOf(looks: readonly Look[]): Promise<readonly unknown[]> {
  const codes: unknown[] = [];
  for (const [index, look] of looks.entries()) {
    const judged = await network.judge(ofCompany(index), look);
    codes.push(judged.outcome === 'failed' ? judged.failure.code : 'good');
  }
  return codes;
}

it('the fourth vault that loses its name within a minute is not the one to blame', async () => {
  expect(await codesOf([GONE, GONE, GONE, GONE])).toEqual([
    'vault-not-found',
    'vault-not-found',
    'vault-not-found',
    'own-network',
  ]);
  const judged = await network.judge(ofCompany(0), GONE);
  expect(judged).toMatchObject({ failure: { code: 'own-network', kind: 'transient', owner: 'vendor' } });
});

it('vaults that lose their names while more are reached have lost them', async () => {
  expect(await codesOf([GOOD, GOOD, SILENT, GOOD, GONE, GONE, GONE, GONE])).not.toContain('own-network');
});

it('one vault that is looked at again and again is one', async () => {
  for (let look = 0; look < 9; look += 1) expect(await network.judge(ofCompany(0), GONE)).toBe(GONE);
});

it('vaults of one company that are deleted together are not our network, while our own vault answers', async () => {
  for (let minute = 0; minute < 3; minute += 1) {
    for (let vault = 0; vault < 6; vault += 1)
      expect(await network.judge({ companyId: 'one', host: `vault-${vault}.example` }, GONE)).toBe(GONE);
    expect(await network.judge({ companyId: 'another', host: 'another.example' }, GONE)).toBe(GONE);
    world.clock.advance(55_000);
  }
});

it('vaults that lost their names at other times have nothing to do with each other', async () => {
  await codesOf([GONE, GONE, GONE]);
  world.clock.advance(60_001);
  expect(await network.judge(ofCompany(9), GONE)).toBe(GONE);
});

it.each([
  ['vault-not-found', GONE],
  ['vault-unreachable', SILENT],
] as const)('a single vault is not to blame either where our own is gone in the same way (%s)', async (code, look) => {
  world.vaults.fail({ host: VENDOR.host, operation: 'reach', failure: code });
  expect(await codesOf([look])).toEqual(['own-network']);
});

it('our own vault is asked once in ten seconds, however many fail, and not where none does', async () => {
  await codesOf([GOOD, failed('access-denied-rbac'), failed('throttled')]);
  expect(world.vaults.calls).toEqual([]);
  await codesOf([SILENT, SILENT, SILENT]);
  expect(world.vaults.calls.map(({ operation, host }) => [operation, host])).toEqual([['reach', VENDOR.host]]);
  world.clock.advance(10_000);
  await codesOf([SILENT]);
  expect(world.vaults.calls).toHaveLength(2);
});

it('many vaults that do not answer are a region of theirs, as long as ours answers', async () => {
  expect(await codesOf(Array<Look>(50).fill(SILENT))).toEqual(Array(50).fill('vault-unreachable'));
});

it('an answer that there is no such vault came over our network', async () => {
  world.vaults.fail({ host: VENDOR.host, operation: 'reach', failure: 'vault-not-found' });
  const answered = classifyVaultAnswer({ status: 404, code: 'VaultNotFound' }, {});
  expect(await codesOf(Array<Look>(6).fill({ outcome: 'failed', failure: answered, warnings: [] }))).toEqual(
    Array(6).fill('vault-not-found'),
  );
});
