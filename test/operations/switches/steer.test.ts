import { describe, expect, it } from 'vitest';
import type { Seal } from '../../../shared/domain/company-key.ts';
import { failure } from '../../../shared/failures.ts';
import { movableAt } from '../../../shared/domain/shard-counts.ts';
import { keyringCells } from '../../../shared/store/rows/keyring-rows.ts';
import {
  connectionRowKey,
  dataKeysPartition,
  keyringRowKey,
  switchRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { sweepOutboxes } from '../../../shared/store/deliver.ts';
import { loadKeyring, loadSwitch } from '../../../shared/store/control-state.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import {
  cancelSwitch,
  passAnew,
  pauseSwitch,
  resumeSwitch,
  retrySwitch,
} from '../../../shared/operations/switches/steer.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { loadConnection } from '../../../shared/operations/keys/verified-connection.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { agendaIn, chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig } from './rig.ts';

const LONG_MS = 60_000;
const PLACE = place('s1');
const ADVANCE = { format: 1, kind: 'advance', attempt: 0, ...PLACE };
const DEAD_LETTER = { reason: 'dead-letter', since: '2026-01-01T00:00:00.000Z', detail: 'planted' } as const;
const DENIED = {
  reason: 'provider',
  side: 'source',
  since: '2026-01-01T00:00:00.000Z',
  failure: failure('access-denied-rbac', { vaultHost: 'contoso.vault.azure.net' }),
} as const;

const switchOf = async (rig: Rig): Promise<Switch> => (await loadSwitch(rig.store, PLACE))!.value;
const keyringOf = async (rig: Rig) => (await loadKeyring(rig.store, { companyId: COMPANY, keyringId: KEYRING }))!.value;

async function pending(): Promise<Rig> {
  const rig = await Rig.withDataKeys(20);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  return forgotten(rig);
}

/** Two of its four shards have been passed over. */
async function reProtecting(): Promise<Rig> {
  const rig = await Rig.withDataKeys(20);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  const doneShards = async (): Promise<number> =>
    (await rig.shards()).filter(({ generation, phase }) => generation === 1 && phase === 'done').length;
  await rig.drain({ enough: async () => (await doneShards()) === 2 });
  return forgotten(rig);
}

async function rollingBack(): Promise<Rig> {
  const rig = await reProtecting();
  await cancelSwitch(rig.deps, PLACE, ADMIN);
  return forgotten(rig);
}

async function ended(): Promise<Rig> {
  const rig = await pending();
  await cancelSwitch(rig.deps, PLACE, ADMIN);
  return forgotten(rig);
}

function forgotten(rig: Rig): Rig {
  rig.queue.clear();
  rig.log.entries.length = 0;
  return rig;
}

const forward = (deps: Rig['deps'], at: typeof PLACE, actor: typeof ADMIN) =>
  retrySwitch(deps, { ...at, direction: 'forward' }, actor);
const retryBack = (deps: Rig['deps'], at: typeof PLACE, actor: typeof ADMIN) =>
  retrySwitch(deps, { ...at, direction: 'back' }, actor);

describe('every order', () => {
  it.each([
    ['cancel', cancelSwitch, 'switch.cancel-ordered', 'switch.cancel', { state: 'rolling-back' }],
    ['pause', pauseSwitch, 'switch.paused', 'switch.pause', { state: 're-protecting' }],
    ['resume', resumeSwitch, 'switch.resumed', 'switch.resume', { state: 're-protecting' }],
    ['retry', retrySwitch, 'switch.retry-ordered', 'switch.retry', { state: 're-protecting' }],
    ['forward', forward, 'switch.retry-ordered', 'switch.retry', { direction: 'forward', state: 're-protecting' }],
    ['back', retryBack, 'switch.cancel-ordered', 'switch.cancel', { state: 'rolling-back' }],
  ] as const)(
    '(%s) is answered with the switch, logged, recorded, and sends one message',
    async (_, order, ...told) => {
      const [event, action, detail] = told;
      const rig = await reProtecting();
      const ordered = await order(rig.deps, PLACE, ADMIN);
      expect(ordered).toEqual({ ok: true, value: await loadSwitch(rig.store, PLACE) });
      expect(rig.log.entries).toEqual([{ level: 'info', event, detail: PLACE }]);
      const record = chainOf(rig.store).at(-1);
      expect(record).toMatchObject({ action, by: ADMIN.by, target: switchRowKey(KEYRING, 's1') });
      expect(JSON.parse(record?.detail ?? '')).toEqual(detail);
      expect([rig.queue.take(), rig.queue.take()]).toEqual([ADVANCE, undefined]);
    },
  );

  it.each([
    ['cancel', cancelSwitch],
    ['pause', pauseSwitch],
    ['resume', resumeSwitch],
    ['retry', retrySwitch],
  ] as const)('(%s) is refused for a switch that there is not, and for one that has ended', async (_, order) => {
    const rig = await ended();
    expect(await order(rig.deps, place('s2'), ADMIN)).toMatchObject({
      error: { type: 'not-found', what: 'switch', id: 's2' },
    });
    expect(await order(rig.deps, PLACE, ADMIN)).toMatchObject({ error: { type: 'state', code: 'switch-ended' } });
    expect([rig.log.entries, rig.queue.size]).toEqual([[], 0]);
  });

  it.each([
    ['pause', pauseSwitch],
    ['resume', resumeSwitch],
  ] as const)('(%s) is refused before any row moves', async (_, order) => {
    const rig = await pending();
    const refused = { error: { type: 'state', code: 'switch-not-running' } };
    expect(await order(rig.deps, PLACE, ADMIN)).toMatchObject(refused);
    await rig.tamperSwitch('s1', { state: 'preparing' });
    expect(await order(rig.deps, PLACE, ADMIN)).toMatchObject(refused);
    expect(rig.queue.size).toBe(0);
  });

  it.each([
    ['cancel', cancelSwitch],
    ['forward', forward],
  ] as const)('that turns or ends it (%s) gives way where the keyring has another switch', async (name, order) => {
    const rig = name === 'cancel' ? await pending() : await rollingBack();
    const before = await switchOf(rig);
    const cells = keyringCells({ ...(await keyringOf(rig)), switchId: 'other' });
    rig.store.tamper('companies', COMPANY, keyringRowKey(KEYRING), cells);
    expect(await order(rig.deps, PLACE, ADMIN)).toMatchObject({ error: { type: 'busy' } });
    expect(await switchOf(rig)).toEqual(before);
  });

  it.each([
    ['cancel', cancelSwitch],
    ['forward', forward],
  ] as const)('that turns or ends it (%s) gives way where the keyring is gone', async (name, order) => {
    const rig = name === 'cancel' ? await pending() : await rollingBack();
    const rowKey = keyringRowKey(KEYRING);
    const { etag } = (await rig.store.read('companies', COMPANY, rowKey))!;
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag }]);
    expect(await order(rig.deps, PLACE, ADMIN)).toMatchObject({ error: { type: 'busy' } });
  });

  it.each([
    ['pause', pauseSwitch, { paused: true }],
    ['cancel', cancelSwitch, { state: 'rolling-back', generation: 2 }],
  ] as const)('(%s) whose answer was lost is done once and recorded once', async (_, order, expected) => {
    const rig = await reProtecting();
    const records = chainOf(rig.store).length;
    const tables = losingAnswer(rig);
    expect(await order({ ...rig.deps, tables }, PLACE, ADMIN)).toMatchObject({ ok: true, value: { value: expected } });
    expect(await switchOf(rig)).toMatchObject(expected);
    expect(chainOf(rig.store)).toHaveLength(records + 1);
  });

  it('is decided again where somebody else was first', async () => {
    const rig = await reProtecting();
    let isFirst = true;
    const tables = tablesBut(rig.store, {
      write: async (table, ...rest) => {
        if (table === 'companies' && isFirst) {
          isFirst = false;
          await rig.tamperSwitch('s1', { paused: true });
        }
        return rig.store.write(table, ...rest);
      },
    });
    expect((await retrySwitch({ ...rig.deps, tables }, PLACE, ADMIN)).ok).toBe(true);
    expect((await switchOf(rig)).paused).toBe(true);
  });
});

describe('pausing', () => {
  it.each([
    ['re-protecting', reProtecting],
    ['rolling back', rollingBack],
  ])('stops a switch that is %s until it is resumed', async (_, given) => {
    const rig = await given();
    const before = await switchOf(rig);
    await pauseSwitch(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toEqual({ ...before, paused: true });
    await resumeSwitch(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toEqual(before);
  });
});

describe('turning a switch', () => {
  it('takes away what it waited for, the pause and the claim to its end, and begins a generation', async () => {
    const rig = await reProtecting();
    const before = await switchOf(rig);
    const lease = { worker: 'w', until: rig.clock.now().toISOString() };
    await rig.tamperSwitch('s1', { paused: true, lease });
    rig.clock.advance(1_000);
    const done = (await rig.shards()).reduce((sum, shard) => sum + (shard.generation === 0 ? shard.live : 0), 0);
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toEqual({
      ...before,
      state: 'rolling-back',
      generation: 2,
      paused: false,
      denialAccepted: false,
      turnedAt: rig.clock.now().toISOString(),
      doneAtTurn: done,
    });
    expect((await keyringOf(rig)).generation).toBe(2);
  });

  it('forward counts what was moved and not moved back yet', async () => {
    const rig = await rollingBack();
    const moved = (await rig.shards()).reduce(
      (sum, shard) => sum + (shard.generation === 1 ? movableAt(shard, 2) : 0),
      0,
    );
    await forward(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toMatchObject({ state: 're-protecting', generation: 3, doneAtTurn: moved });
    expect(moved).toBeGreaterThan(0);
  });

  it('counts without a shard that is missing', async () => {
    const rig = await reProtecting();
    const partition = dataKeysPartition({ ...PLACE, shard: 0 });
    const { live } = (await rig.shards())[0]!;
    const others = (await rig.shards()).slice(1);
    const row = (await rig.store.read('datakeys', partition, SHARD_ROW_KEY))!;
    await rig.store.write('datakeys', partition, [{ kind: 'delete', rowKey: SHARD_ROW_KEY, etag: row.etag }]);
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    const done = others.reduce((sum, shard) => sum + (shard.generation === 0 ? shard.live : 0), 0);
    expect((await switchOf(rig)).doneAtTurn).toBe(done);
    expect(live).toBeGreaterThan(0);
  });

  it.each([
    ['was blocked by a denial of the vault in force', { blocked: DENIED }],
    ['had seen so before', { denialAccepted: true }],
  ])('goes on by the other wrap if it %s', async (_, change) => {
    const rig = await reProtecting();
    await rig.amendSwitch('s1', change);
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    const turned = await switchOf(rig);
    expect([turned.denialAccepted, turned.blocked]).toEqual([true, undefined]);
  });

  it.each([
    ['by something else', DEAD_LETTER],
    ['by the other vault', { ...DENIED, side: 'target' } as const],
    ['by the vault in force, which is only away', { ...DENIED, failure: failure('vault-unreachable') } as const],
  ])('accepts no denial that nobody has met if it was blocked %s', async (_, blocked) => {
    const rig = await reProtecting();
    await rig.tamperSwitch('s1', { blocked });
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    expect((await switchOf(rig)).denialAccepted).toBe(false);
    await rig.tamperSwitch('s1', { blocked });
    await forward(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toMatchObject({ state: 're-protecting', denialAccepted: false });
  });
});

describe('cancelling a switch', () => {
  it('that rolls back already only has it go on, by whichever wrap opens', async () => {
    const rig = await rollingBack();
    const before = await switchOf(rig);
    await rig.tamperSwitch('s1', { blocked: DEAD_LETTER });
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toEqual({ ...before, denialAccepted: true, seal: expect.anything() as Seal });
  });

  it.each(['pending-verification', 'preparing'] as const)('that is %s leaves nothing of it', async (state) => {
    const rig = await pending();
    await rig.tamperSwitch('s1', { state, blocked: DEAD_LETTER });
    rig.clock.advance(1_000);
    const cancelled = await cancelSwitch(rig.deps, PLACE, ADMIN);
    expect(cancelled).toMatchObject({ ok: true, value: { value: { state: 'cancelled' } } });
    const { blocked, endedAt } = await switchOf(rig);
    expect([blocked, endedAt]).toEqual([undefined, rig.clock.now().toISOString()]);
    expect((await keyringOf(rig)).switchId).toBeUndefined();
    expect(await usersOf(rig)).toEqual([]);
    expect(agendaIn(rig.store, 'switch')).toEqual([]);
    expect(rig.queue.size).toBe(0);
  });

  it('before anything was touched leaves the connection to the keyring that is protected by it', async () => {
    const rig = await Rig.withDataKeys(1);
    await startSwitch(rig.deps, { ...place('s0'), target: CONTOSO }, ADMIN);
    await rig.drain();
    await startRekey(rig.deps, { ...PLACE }, ADMIN);
    expect(await usersOf(rig)).toEqual(['keyring|default', 'switch|default|s1']);
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    expect(await usersOf(rig)).toEqual(['keyring|default']);
  });

  it('before anything was touched needs no connection that is gone', async () => {
    const rig = await pending();
    const row = (await rig.store.read('companies', COMPANY, connectionRowKey('contoso')))!;
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey: row.rowKey, etag: row.etag }]);
    expect((await cancelSwitch(rig.deps, PLACE, ADMIN)).ok).toBe(true);
  });
});

async function usersOf(rig: Rig): Promise<readonly string[] | undefined> {
  const connection = await loadConnection(rig.deps, { companyId: COMPANY, connectionId: 'contoso' });
  return connection.ok ? connection.value?.value.usedBy : undefined;
}

describe('cancelling a switch of which nothing was touched', () => {
  it('is no refusal if its answer was lost and its record has gone on its way since', async () => {
    const rig = await pending();
    const tables = losingAnswer(rig, async () => {
      rig.clock.advance(LONG_MS);
      expect(await sweepOutboxes(rig.deps)).toBe(1);
    });
    const cancelled = await cancelSwitch({ ...rig.deps, tables }, PLACE, ADMIN);
    expect(cancelled).toMatchObject({ ok: true, value: { value: { state: 'cancelled' } } });
  });

  it('leaves it to the timer while it cannot be written', async () => {
    const rig = await pending();
    const tables = tablesBut(rig.store, {
      write: (table, ...rest) =>
        table === 'companies'
          ? Promise.resolve({ outcome: 'conflict', index: 0, reason: 'changed' })
          : rig.store.write(table, ...rest),
    });
    expect(await cancelSwitch({ ...rig.deps, tables }, PLACE, ADMIN)).toMatchObject({ error: { type: 'busy' } });
    expect(agendaIn(rig.store, 'switch')).toHaveLength(1);
  });
});

/** The store, whose answer to the first act on the company is lost after it was written. */
function losingAnswer(rig: Rig, meanwhile: () => Promise<void> = () => Promise.resolve()): Tables {
  let isLost = false;
  return tablesBut(rig.store, {
    write: async (table, partition, writes) => {
      const written = await rig.store.write(table, partition, writes);
      if (isLost || table !== 'companies' || writes[0]?.kind !== 'replace') return written;
      isLost = true;
      await meanwhile();
      return { outcome: 'unknown' };
    },
  });
}

describe('retrying', () => {
  it('takes away what it waits for and the claim to its end, and accepts no denial', async () => {
    const rig = await reProtecting();
    const before = await switchOf(rig);
    await rig.tamperSwitch('s1', {
      blocked: DEAD_LETTER,
      lease: { worker: 'w', until: rig.clock.now().toISOString() },
    });
    await retrySwitch(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toEqual(before);
  });

  it('keeps a denial accepted that was', async () => {
    const rig = await reProtecting();
    await rig.amendSwitch('s1', { denialAccepted: true });
    await retrySwitch(rig.deps, PLACE, ADMIN);
    expect((await switchOf(rig)).denialAccepted).toBe(true);
  });

  it('forward accepts a denial, and turns nothing that goes that way already', async () => {
    const rig = await reProtecting();
    const before = await switchOf(rig);
    await forward(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toEqual({ ...before, denialAccepted: true, seal: expect.anything() as Seal });
  });

  it('without a direction does not turn one that rolls back', async () => {
    const rig = await rollingBack();
    const before = await switchOf(rig);
    await retrySwitch(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toEqual(before);
  });
});

describe('the vendor', () => {
  const vendorForward = (rig: Rig): ReturnType<typeof retrySwitch> =>
    retrySwitch(rig.deps, { ...PLACE, direction: 'forward', vendor: { maySwitch: false } }, ADMIN);

  it.each([
    ['goes on', reProtecting],
    ['rolls back', rollingBack],
  ])('cannot have a switch that %s go forward over a denial by the vault in force', async (_, make) => {
    const rig = await make();
    await rig.tamperSwitch('s1', { blocked: DENIED });
    const before = await switchOf(rig);
    expect(await vendorForward(rig)).toMatchObject({ error: { type: 'company-admin-only', companyId: COMPANY } });
    expect(await switchOf(rig)).toEqual(before);
    expect((await forward(rig.deps, PLACE, ADMIN)).ok).toBe(true);
    expect((await switchOf(rig)).denialAccepted).toBe(true);
  });

  it('accepts none by going forward before it is met, nor by cancelling and turning', async () => {
    const rig = await reProtecting();
    await vendorForward(rig);
    expect((await switchOf(rig)).denialAccepted).toBe(false);
    await rig.tamperSwitch('s1', { blocked: DENIED });
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    const turned = { ...PLACE, direction: 'forward', vendor: { maySwitch: true } } as const;
    await retrySwitch(rig.deps, turned, ADMIN);
    expect(await switchOf(rig)).toMatchObject({ state: 're-protecting', denialAccepted: false });
  });

  it('plants none for the company to take over, by turning a switch back twice', async () => {
    const rig = await reProtecting();
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    expect((await switchOf(rig)).denialAccepted).toBe(true);
    await forward(rig.deps, PLACE, ADMIN);
    expect(await switchOf(rig)).toMatchObject({ state: 're-protecting', denialAccepted: false });
  });

  it('cannot turn a switch forward that was turned back: the company said so, or nobody has ordered it anew', async () => {
    const rig = await rollingBack();
    const before = await switchOf(rig);
    expect(await vendorForward(rig)).toMatchObject({ error: { type: 'company-admin-only', companyId: COMPANY } });
    expect(await switchOf(rig)).toEqual(before);
    await rig.queue.send([{ format: 1, kind: 'advance', attempt: 0, ...PLACE }]);
    await rig.drain();
    expect((await switchOf(rig)).state).toBe('cancelled');
  });

  it('may turn a re-key forward again, which leads nowhere else', async () => {
    const rig = await Rig.withDataKeys(4);
    await startRekey(rig.deps, PLACE, ADMIN);
    await rig.drain({ enough: async () => (await switchOf(rig)).state === 're-protecting' });
    await cancelSwitch(rig.deps, PLACE, ADMIN);
    expect((await vendorForward(rig)).ok).toBe(true);
    expect((await switchOf(rig)).state).toBe('re-protecting');
  });

  it('accepts none by passing over all of it anew', async () => {
    const rig = await reProtecting();
    const { failure: met, since } = DENIED;
    await rig.tamperSwitch('s1', { blocked: { reason: 'counts-differ', since, failure: met } });
    await passAnew(rig.deps, PLACE, ADMIN);
    expect((await switchOf(rig)).denialAccepted).toBe(false);
  });
});
