import { describe, expect, it } from 'vitest';
import { failure, FAILURE_CODES } from '../../shared/failures.ts';
import { MAX_EVENTS_PER_MINUTE, MAX_REFUSALS_PER_DAY } from '../../shared/store/event-limits.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import { recordEvent, recordFailure, type Recording } from '../../shared/store/record-event.ts';
import type { Tables } from '../../shared/store/tables.ts';
import { ADMIN } from '../fakes/actors.ts';
import { tablesBut } from '../fakes/tables-but.ts';
import { agendaIn, auditRig, chainOf, COMPANY, outboxesIn, type AuditRig } from '../operations/audit/chain.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const EVENT = { action: 'access.refused', companyId: COMPANY, target: 'get-company', outcome: 'refused' } as const;
const ABOUT = { ...EVENT, requestId: 'call of admin' };

const recordingOver = (rig: AuditRig, tables: Tables = rig.store): Recording => rig.over(tables);

describe('an event without an act of its own', () => {
  it('is in the chain, with who caused it', async () => {
    const rig = auditRig();
    await recordEvent(recordingOver(rig), ADMIN, EVENT);
    expect(chainOf(rig.store)).toMatchObject([{ by: 'admin', action: 'access.refused', outcome: 'refused' }]);
    expect(outboxesIn(rig.store)).toEqual([]);
    expect(agendaIn(rig.store, 'outbox')).toEqual([]);
  });

  it('is recorded so many times a minute and company; what is beyond is logged, and counted in the next', async () => {
    const rig = auditRig();
    const deps = recordingOver(rig);
    for (let count = 0; count < MAX_EVENTS_PER_MINUTE + 5; count += 1) await recordEvent(deps, ADMIN, EVENT);
    expect(chainOf(rig.store)).toHaveLength(MAX_EVENTS_PER_MINUTE);
    expect(rig.log.events().filter((event) => event === 'audit.event')).toHaveLength(MAX_EVENTS_PER_MINUTE + 5);
    await recordEvent(deps, ADMIN, { ...EVENT, companyId: 'globex' });
    expect(chainOf(rig.store, 'globex')).toHaveLength(1);
    rig.clock.advance(MINUTE_MS);
    await recordEvent(deps, ADMIN, EVENT);
    await recordEvent(deps, ADMIN, EVENT);
    expect(chainOf(rig.store).slice(-2)).toMatchObject([{ detail: '{"notRecordedBefore":5}' }, { detail: '{}' }]);
  });

  it('of a refusal is recorded so many times a day and company, however long it goes on; acts and security events are recorded all the same', async () => {
    const rig = auditRig();
    const deps = recordingOver(rig);
    const everyMinute = async (minutes: number): Promise<void> => {
      for (let minute = 0; minute < minutes; minute += 1) {
        for (let count = 0; count < MAX_EVENTS_PER_MINUTE; count += 1) await recordEvent(deps, ADMIN, EVENT);
        rig.clock.advance(MINUTE_MS);
      }
    };
    await everyMinute(40);
    expect(chainOf(rig.store)).toHaveLength(MAX_REFUSALS_PER_DAY);
    await recordEvent(deps, ADMIN, { action: 'vault-claim.release', companyId: COMPANY, target: 'x', outcome: 'done' });
    await recordFailure(deps, ADMIN, { companyId: COMPANY, target: 'x', failure: failure('row-forged', {}) });
    const actions = chainOf(rig.store).map(({ action }) => action);
    expect(actions.slice(-2)).toEqual(['vault-claim.release', 'security.row-forged']);
    rig.clock.advance(DAY_MS);
    await recordEvent(deps, ADMIN, EVENT);
    expect(chainOf(rig.store).at(-1)?.detail).toBe(
      `{"notRecordedBefore":${40 * MAX_EVENTS_PER_MINUTE - MAX_REFUSALS_PER_DAY}}`,
    );
  });

  it('is recorded by the timer when its answer was lost, once', async () => {
    const rig = auditRig();
    const losing = tablesBut(rig.store, {
      write: async (table, ...rest) => {
        const written = await rig.store.write(table, ...rest);
        return table === 'companies' ? { outcome: 'unknown' } : written;
      },
    });
    await recordEvent(recordingOver(rig, losing), ADMIN, EVENT);
    rig.clock.advance(MINUTE_MS);
    await sweepOutboxes(rig.deps);
    expect(chainOf(rig.store)).toHaveLength(1);
    expect(outboxesIn(rig.store)).toEqual([]);
  });

  it('that arrives long after it was given up is recorded then', async () => {
    const rig = auditRig();
    let late: (() => Promise<unknown>) | undefined;
    const slow = tablesBut(rig.store, {
      write: (table, ...rest) => {
        if (table !== 'companies') return rig.store.write(table, ...rest);
        late = () => rig.store.write(table, ...rest);
        return Promise.resolve({ outcome: 'unknown' });
      },
    });
    await recordEvent(recordingOver(rig, slow), ADMIN, EVENT);
    rig.clock.advance(MINUTE_MS);
    expect(await sweepOutboxes(rig.deps)).toBe(0);
    await late?.();
    expect(await sweepOutboxes(rig.deps)).toBe(1);
    expect(chainOf(rig.store)).toHaveLength(1);
  });

  it('is logged and given up when the store is away, and nobody is refused for it', async () => {
    const rig = auditRig();
    const away = tablesBut(rig.store, {
      write: () => Promise.resolve({ outcome: 'unknown' }),
    });
    await recordEvent(recordingOver(rig, away), ADMIN, EVENT);
    expect(rig.log.events()).toContain('audit.event-lost');
    rig.clock.advance(DAY_MS);
    await sweepOutboxes(rig.deps);
    expect([...rig.store.dump()]).toEqual([]);
  });
});

describe('what the log says of an event', () => {
  it.each([
    ['done', 'info'],
    ['counted', 'info'],
    ['refused', 'warning'],
    ['detected', 'warning'],
  ] as const)('that is %s is of level %s', async (outcome, level) => {
    const rig = auditRig();
    expect(await recordEvent(recordingOver(rig), ADMIN, { ...EVENT, outcome })).toBe(true);
    expect(rig.log.entries).toEqual([{ level, event: 'audit.event', detail: { ...ABOUT, outcome } }]);
  });

  it('that was lost is an error, and names it', async () => {
    const rig = auditRig();
    const away = tablesBut(rig.store, { write: () => Promise.resolve({ outcome: 'unknown' }) });
    expect(await recordEvent(recordingOver(rig, away), ADMIN, EVENT)).toBe(false);
    expect(rig.log.entries.slice(1)).toEqual([{ level: 'error', event: 'audit.event-lost', detail: ABOUT }]);
  });

  it('that met a fault of ours is not that it was lost', async () => {
    const rig = auditRig();
    const broken = tablesBut(rig.store, { write: () => Promise.reject(new TypeError('planted')) });
    await expect(recordEvent(recordingOver(rig, broken), ADMIN, EVENT)).rejects.toThrow(TypeError);
    expect(rig.log.events()).toEqual(['audit.event']);
  });
});

describe('the bound on events', () => {
  it('holds for the whole of a minute, however they are spread in it', async () => {
    const rig = auditRig();
    const deps = recordingOver(rig);
    const record = (): Promise<boolean> => recordEvent(deps, ADMIN, EVENT);
    for (let count = 0; count < MAX_EVENTS_PER_MINUTE; count += 1) {
      expect(await record()).toBe(true);
      rig.clock.advance(1000);
    }
    rig.clock.advance(MINUTE_MS - MAX_EVENTS_PER_MINUTE * 1000 - 1);
    expect(await record()).toBe(false);
    rig.clock.advance(1);
    expect(await record()).toBe(true);
  });

  it('holds for what strangers are refused by itself: acts, security events and other refusals are recorded all the same', async () => {
    const rig = auditRig();
    const deps = recordingOver(rig);
    const stranger = { ...EVENT, action: 'sign-in.refused', outcome: 'refused' } as const;
    for (let count = 0; count <= MAX_EVENTS_PER_MINUTE; count += 1) await recordEvent(deps, ADMIN, stranger);
    for (const other of [
      EVENT,
      { ...EVENT, action: 'vault-claim.release', outcome: 'done' },
      { ...EVENT, action: 'security.row-forged', outcome: 'detected' },
    ] as const) {
      expect(await recordEvent(deps, ADMIN, other)).toBe(true);
    }
    expect(chainOf(rig.store)).toHaveLength(MAX_EVENTS_PER_MINUTE + 3);
  });

  it('leaves out no act, and of security events only the same of the same target', async () => {
    const rig = auditRig();
    const deps = recordingOver(rig);
    const act = { ...EVENT, action: 'connection.test', outcome: 'done' } as const;
    const forged = { ...EVENT, action: 'security.row-forged', outcome: 'detected' } as const;
    for (let count = 0; count < MAX_EVENTS_PER_MINUTE; count += 1) {
      expect(await recordEvent(deps, ADMIN, act)).toBe(true);
      expect(await recordEvent(deps, ADMIN, forged)).toBe(true);
    }
    expect(await recordEvent(deps, ADMIN, act)).toBe(true);
    expect(await recordEvent(deps, ADMIN, forged)).toBe(false);
    expect(await recordEvent(deps, ADMIN, { ...forged, target: 'another row' })).toBe(true);
  });

  it('does not hold for calls that are counted, nor do they take its room', async () => {
    const rig = auditRig();
    const deps = recordingOver(rig);
    const counted = { ...EVENT, action: 'data-keys.calls', outcome: 'counted' } as const;
    for (let count = 0; count <= MAX_EVENTS_PER_MINUTE; count += 1) {
      expect(await recordEvent(deps, ADMIN, counted)).toBe(true);
    }
    expect(await recordEvent(deps, ADMIN, EVENT)).toBe(true);
    expect(chainOf(rig.store)).toHaveLength(MAX_EVENTS_PER_MINUTE + 2);
  });
});

describe('a failure', () => {
  it.each(FAILURE_CODES.filter((code) => failure(code).isTampering))('by %s is a security event', async (code) => {
    const rig = auditRig();
    const met = { companyId: COMPANY, target: 'unwrap', failure: failure(code, { detail: 'connection|main' }) };
    await recordFailure(recordingOver(rig), ADMIN, met);
    expect(chainOf(rig.store)).toMatchObject([
      { action: `security.${code}`, target: 'connection|main', outcome: 'detected' },
    ]);
  });

  it('of any other kind is none', async () => {
    const rig = auditRig();
    await recordFailure(recordingOver(rig), ADMIN, {
      companyId: COMPANY,
      target: 'x',
      failure: failure('key-disabled'),
    });
    expect([...rig.store.dump()]).toEqual([]);
  });
});
