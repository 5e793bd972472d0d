// No act drops a wrap under a customer's key without noting which version that was, since when it is not needed, and until when copies of the tables are.
import { describe, expect, it } from 'vitest';
import type { CompanyKeyRow, Wrap } from '../../shared/domain/company-key.ts';
import { versionsDropped } from '../../shared/domain/key-versions.ts';
import { cancelSwitch } from '../../shared/operations/switches/steer.ts';
import { startRekey, startSwitch } from '../../shared/operations/switches/start.ts';
import { actOnce, changeOnce } from '../../shared/store/act.ts';
import { loadSwitch } from '../../shared/store/control-state.ts';
import { find, list, type Found } from '../../shared/store/found.ts';
import { formerVersionsOf } from '../../shared/store/rows/key-version-rows.ts';
import { companyKeyRow, companyKeysOfCompany } from '../../shared/store/rows/sealed-rows.ts';
import type { Writes } from '../../shared/store/tx.ts';
import { ADMIN } from '../fakes/actors.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, MANAGED, Rig } from '../operations/switches/rig.ts';
import { ACTS } from './scenes.ts';
import { after, SWITCH, type Host, type Scene } from './scene.ts';

const CONNECTION = { companyId: COMPANY, connectionId: CONTOSO.connectionId! };

const companyKeys = async ({ store }: Rig): Promise<readonly CompanyKeyRow[]> =>
  (await list(store, companyKeysOfCompany, { companyId: COMPANY })).flatMap(({ value }) => value ?? []);

interface Seen {
  readonly dropped: readonly string[];
  readonly noted: readonly string[];
}

/** By which versions no company key is wrapped any more after the act, and which are noted as left from then on, for as long as copies are kept. */
async function seen({ rig, act }: Scene): Promise<Seen> {
  const before = await companyKeys(rig);
  const host = rig.freshHost();
  const from = rig.clock.now();
  await act(host);
  const now = await companyKeys(rig);
  const wraps = (rows: readonly CompanyKeyRow[]): readonly Wrap[] => rows.flatMap((row) => row.wraps);
  const dropped = versionsDropped(wraps(before), wraps(now));
  const notes = await list(rig.store, formerVersionsOf, CONNECTION);
  const isNew = ({ leftAt, copiesUntil }: { leftAt: string; copiesUntil: string }): boolean =>
    leftAt >= from.toISOString() && copiesUntil >= new Date(from.getTime() + host.keepMs).toISOString();
  return {
    dropped: [...new Set(dropped.map(({ keyId }) => keyId))].toSorted(),
    noted: notes.flatMap(({ value }) => (isNew(value) ? [value.keyId] : [])).toSorted(),
  };
}

const order = async (rig: Rig, switchId: string, target?: typeof CONTOSO): Promise<void> => {
  const asked = { ...SWITCH, switchId };
  const begun = target ? startSwitch(rig.deps, { ...asked, target }, ADMIN) : startRekey(rig.deps, asked, ADMIN);
  expect(await begun).toMatchObject({ ok: true });
};
const halfWay = async (rig: Rig, switchId: string): Promise<void> => {
  const isHalfWay = async (): Promise<boolean> =>
    (await loadSwitch(rig.store, { ...SWITCH, switchId }))?.value.state === 're-protecting';
  await rig.drain({ enough: isHalfWay });
};
const drained = async (host: Host, rig: Rig): Promise<void> => {
  rig.deps = host;
  await rig.drain();
};
const underContoso = async (rig: Rig): Promise<void> => {
  await order(rig, 's1', CONTOSO);
  await rig.drain();
};

/** Ends of switches that the table of acts does not have, by what they are. */
const ENDS: Readonly<Record<string, () => Promise<Scene>>> = {
  'a switch back to the vendor’s key': after(async (rig) => {
    await underContoso(rig);
    await order(rig, 'back', MANAGED);
  }, drained),
  'a re-key under a newer version': after(async (rig) => {
    await underContoso(rig);
    rig.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture: 'rsa-3072-1' });
    await order(rig, 'r1');
  }, drained),
  'a re-key that is cancelled': after(async (rig) => {
    await underContoso(rig);
    rig.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture: 'rsa-3072-1' });
    await order(rig, 'r1');
    await halfWay(rig, 'r1');
    await cancelSwitch(rig.deps, { ...SWITCH, switchId: 'r1' }, ADMIN);
  }, drained),
  'a switch to another key of the company’s': after(async (rig) => {
    await underContoso(rig);
    await order(rig, 's2', { ...CONTOSO, connectionId: 'fabrikam' });
  }, drained),
};

const SAME_VERSION = after(async (rig) => {
  await underContoso(rig);
  await order(rig, 'r1');
}, drained);

describe('a version whose last wrap goes', () => {
  // With a company everything that could say so goes.
  it.each(Object.entries(ACTS).filter(([act]) => !act.startsWith('company.delete')))(
    'is noted by %s',
    async (_act, make) => {
      const { dropped, noted } = await seen(await make());
      expect(noted).toEqual(dropped);
    },
  );

  it.each(Object.entries({ ...ENDS, ...pick('switch.cancelled', 'key-version.followed') }))(
    'is noted by %s, which drops one',
    async (_act, make) => {
      const { dropped, noted } = await seen(await make());
      expect(dropped).not.toEqual([]);
      expect(noted).toEqual(dropped);
    },
  );

  it('is noted by no re-key under the version that the company key before is under too', async () => {
    expect(await seen(await SAME_VERSION())).toEqual({ dropped: [], noted: [] });
  });
});

describe('a transaction that would drop a wrap and note nothing', () => {
  const PLACE = { companyId: COMPANY, keyringId: KEYRING, version: 2 };
  const held = async (rig: Rig): Promise<Found<CompanyKeyRow>> => {
    await underContoso(rig);
    const row = await find(rig.store, companyKeyRow, PLACE);
    return { ...row!, value: row!.value! };
  };
  const about = { actor: ADMIN, action: 'test', companyId: COMPANY, target: companyKeyRow.key(PLACE) };

  it.each<[string, (tx: Writes, row: Found<CompanyKeyRow>) => unknown]>([
    ['by deleting its row', (tx, row) => tx.delete(row)],
    ['by replacing it', (tx, row) => tx.replace(row, { ...row.value, wraps: [] })],
    ['by merging it', (tx, row) => tx.merge(row, { ...row.value, wraps: [] }, ['wraps'])],
  ])('%s throws, and writes nothing', async (_how, write) => {
    const rig = await Rig.withDataKeys(0);
    const row = await held(rig);
    const dump = JSON.stringify([...rig.store.dump()]);
    const once = (tx: Writes): undefined => void write(tx, row);
    await expect(changeOnce(rig.deps, once)).rejects.toThrow(/formerversion\|contoso\|/);
    await expect(actOnce(rig.deps, about, once)).rejects.toThrow(/formerversion\|contoso\|/);
    expect(JSON.stringify([...rig.store.dump()])).toBe(dump);
  });
});

function pick(...acts: readonly string[]): Record<string, () => Promise<Scene>> {
  return Object.fromEntries(acts.map((act) => [act, ACTS[act]!]));
}
