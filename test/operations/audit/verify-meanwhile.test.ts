// The check of a chain while others go on appending and signing, and while the store or the seal key is away.
import { beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import { HEAD_ROW_KEY, recordRowKey } from '../../../shared/store/rows/row-keys.ts';
import { verifyEvents } from '../../../shared/operations/audit/verify-events.ts';
import { type Tables } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { errorOf } from '../data-keys/world.ts';
import { ChainRig, headOf, OTHER, RECORDS, SIGNED_AT } from './chain-rig.ts';
import { COMPANY } from './chain.ts';

let chain: ChainRig;
beforeEach(async () => {
  chain = await ChainRig.started();
});

/** The store in which something happens before each of its calls. */
function before(act: (call: number) => Promise<void>): Tables {
  const { store } = chain.rig;
  let calls = 0;
  const next = (): Promise<void> => act((calls += 1));
  return tablesBut(store, {
    read: async (...place) => {
      await next();
      return store.read(...place);
    },
    list: async (query) => {
      await next();
      return store.list(query);
    },
  });
}

async function callsOfACheck(): Promise<number> {
  let calls = 0;
  await chain.problems(
    undefined,
    before((call) => Promise.resolve(void (calls = call))),
  );
  return calls;
}

const alarms = (): unknown[] => chain.rig.log.entries.filter(({ event }) => event === 'security.events-broken');

describe('a chain that others append to while it is checked', () => {
  it('is intact, at whatever moment they append and sign', async () => {
    const calls = await callsOfACheck();
    expect(calls).toBeGreaterThan(5);
    for (let at = 1; at <= calls; at += 1) {
      const tables = before(async (call) => {
        if (call !== at) return;
        await chain.append(2);
        await chain.sign();
        await chain.append(1);
      });
      expect(await chain.problems(undefined, tables), `call ${at}`).toEqual([]);
    }
    expect(alarms()).toEqual([]);
  });

  it('is intact if they append and sign at every moment', async () => {
    const tables = before(async (call) => {
      if (call > 100) return;
      await chain.append(1);
      await chain.sign();
    });
    expect(await chain.problems(undefined, tables)).toEqual([]);
    expect(await chain.problems()).toEqual([]);
  });

  it('is broken all the same by what somebody cut off before', async () => {
    const calls = await callsOfACheck();
    for (let at = 1; at <= calls; at += 1) {
      chain = await ChainRig.started();
      await chain.remove(recordRowKey(RECORDS));
      chain.setHead(headOf(chain.record(RECORDS - 1)));
      const tables = before(async (call) => {
        if (call === at) await chain.append(1);
      });
      expect(await chain.problems(undefined, tables), `call ${at}`).toEqual([`marker-without-record ${RECORDS}`]);
    }
  });

  it('is broken by a signature that somebody puts there meanwhile', async () => {
    const calls = await callsOfACheck();
    const tables = before(async (call) => {
      if (call !== calls - 1) return;
      await chain.append(1);
      chain.forgeSignature(RECORDS + 1);
    });
    expect(await chain.problems(undefined, tables)).toEqual([`signature-forged ${RECORDS + 1}`]);
  });
});

describe('a check that cannot be made', () => {
  it('is none while the store is away, whatever is read then', async () => {
    const calls = await callsOfACheck();
    for (let at = 1; at <= calls; at += 1) {
      const tables = before((call) =>
        call === at ? Promise.reject(new StoreUnavailable('planted')) : Promise.resolve(),
      );
      await expect(verifyEvents({ ...chain.deps, tables }, { companyId: COMPANY }), `call ${at}`).rejects.toThrow(
        StoreUnavailable,
      );
    }
    expect(alarms()).toEqual([]);
  });

  it('is refused while the seal key is away, and nobody is suspected', async () => {
    const away = failure('vault-error');
    chain.vaults.publicKey = () => Promise.resolve({ ok: false, error: away });
    expect(errorOf(await verifyEvents(chain.deps, { companyId: COMPANY }))).toEqual({ type: 'failure', failure: away });
    expect(alarms()).toEqual([]);
  });

  it('is refused also if the only signature is behind the end of what is left of the chain', async () => {
    for (let at = SIGNED_AT; at <= RECORDS; at += 1) await chain.remove(recordRowKey(at));
    const away = failure('vault-error');
    chain.vaults.publicKey = () => Promise.resolve({ ok: false, error: away });
    expect(errorOf(await verifyEvents(chain.deps, { companyId: COMPANY }))).toEqual({ type: 'failure', failure: away });
  });

  it('is refused by name for a company that never was', async () => {
    const refused = errorOf(await verifyEvents(chain.deps, { companyId: OTHER }));
    expect(refused).toEqual({ type: 'not-found', what: 'company', id: OTHER });
  });

  it('names the head as forged, and not the store as away, if the head cannot be read', async () => {
    chain.rig.store.tamper('events', COMPANY, HEAD_ROW_KEY, {});
    expect(await chain.problems()).toEqual([`head-forged ${RECORDS}`]);
    expect(alarms()).toHaveLength(1);
  });
});
