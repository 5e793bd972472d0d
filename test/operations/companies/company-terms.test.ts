// What the vendor lets a company have and what it demands itself: sealed with each change, and only then.
import { beforeEach, expect, it } from 'vitest';
import { getCompany, putCompany } from '../../../shared/operations/companies/companies.ts';
import { putPolicy } from '../../../shared/operations/companies/policy.ts';
import { featuresOf, policyOf } from '../../../shared/operations/keys/company-terms.ts';
import { keyRules } from '../../../shared/operations/keys/key-rules.ts';
import { find, type Found } from '../../../shared/store/found.ts';
import type { Company } from '../../../shared/domain/keyring.ts';
import { companyRow } from '../../../shared/store/rows/company-rows.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { COMPANY, errorOf, valueOf, World, type Host } from '../data-keys/world.ts';

const PLACE = { companyId: COMPANY };
const POLICY = { vendorKey: 'forbidden', keyringsPerProvider: 'any', minRsaBits: 3072 } as const;
const AWAY = { type: 'failure', failure: { code: 'vault-unreachable' } };

let world: World;
beforeEach(() => {
  world = new World();
});

const put = (input: Omit<Parameters<typeof putCompany>[1], 'companyId'> = {}, host: Host = world.host) =>
  putCompany(host, { ...PLACE, ...input }, ADMIN);
const demand = () => putPolicy(world.host, { ...PLACE, policy: POLICY }, ADMIN);
const stored = async (): Promise<Found<Company>> => (await find(world.store, companyRow, PLACE))!;

it('while nothing can be sealed, nothing is made, and neither the vendor nor the company changes what is stored', async () => {
  world.vaults.fail({ operation: 'sign', failure: 'vault-unreachable' });
  expect(errorOf(await put())).toMatchObject(AWAY);
  expect([...world.store.dump()]).toEqual([]);
  world.vaults.heal();
  const made = valueOf(await put());
  world.vaults.fail({ operation: 'sign', failure: 'vault-unreachable' });
  expect(errorOf(await put({ features: ['customer-keys'] }))).toMatchObject(AWAY);
  expect(errorOf(await demand())).toMatchObject(AWAY);
  expect(valueOf(await getCompany(world.host, PLACE)).etag).toBe(made.etag);
  expect(valueOf(await put({ displayName: 'New', features: 'all' })).value.displayName).toBe('New');
});

it('while the seal key cannot be read, nothing is decided, and nothing called forged', async () => {
  valueOf(await put({ features: ['customer-keys'] }));
  world.vaults.fail({ operation: 'publicKey', failure: 'vault-unreachable' });
  const fresh = world.newHost();
  expect(await keyRules(fresh, PLACE)).toMatchObject({ ok: false, error: { code: 'vault-unreachable' } });
  expect(await featuresOf(fresh, await stored())).toMatchObject({ ok: false, error: { code: 'vault-unreachable' } });
  expect(errorOf(await put({ features: ['customer-keys'] }, fresh))).toMatchObject(AWAY);
  expect(world.log.entries.filter(({ event }) => event === 'security.row-forged')).toEqual([]);
  // A view asks for no seal.
  expect(valueOf(await getCompany(fresh, PLACE)).value.features).toEqual(['customer-keys']);
});

it('a company costs two seals, a change of its features or its policy one, and the same again none', async () => {
  const sealsOf = async (act: () => Promise<{ readonly ok: boolean }>): Promise<number> => {
    world.vaults.calls.length = 0;
    expect(await act()).toMatchObject({ ok: true });
    return world.vaults.calls.filter(({ operation }) => operation === 'sign').length;
  };
  // Beside that of the wrap of its first company key.
  expect(await sealsOf(() => put())).toBe(3);
  expect(await sealsOf(() => put({ displayName: 'New' }))).toBe(0);
  expect(await sealsOf(() => put({ features: ['customer-keys'] }))).toBe(1);
  expect(await sealsOf(() => put({ features: ['customer-keys'] }))).toBe(0);
  expect(await sealsOf(demand)).toBe(1);
  expect(await sealsOf(demand)).toBe(0);
});

it('a change of the features right before one of the policy is written: both stand, each under its seal', async () => {
  valueOf(await put());
  world.tables
    .atNext(({ writes }) => writes.some(({ rowKey }) => rowKey === companyRow.key(PLACE)))
    .comesAfter(async () => {
      valueOf(await put({ features: ['more-keyrings'] }, world.newHost({ tables: world.store })));
    });
  valueOf(await demand());
  expect(valueOf(await policyOf(world.host, await stored()))).toEqual(POLICY);
  expect(valueOf(await featuresOf(world.host, await stored()))).toEqual(['more-keyrings']);
});

it('a row of one company read as that of another is forged', async () => {
  valueOf(await put());
  const company = await stored();
  const elsewhere = { ...company, at: { ...company.at, partitionKey: 'globex' } };
  expect(await featuresOf(world.host, elsewhere)).toMatchObject({ ok: false, error: { code: 'row-forged' } });
  expect(await policyOf(world.host, elsewhere)).toMatchObject({ ok: false, error: { code: 'row-forged' } });
});
