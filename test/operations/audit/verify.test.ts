import { describe, expect, it } from 'vitest';
import { hashOfRecord } from '../../../shared/domain/audit.ts';
import type { ProblemCode } from '../../../shared/domain/audit-report.ts';
import { markerCells, recordCells } from '../../../shared/store/rows/audit-rows.ts';
import { HEAD_ROW_KEY, markerRowKey, recordRowKey, signedRowKey } from '../../../shared/store/rows/row-keys.ts';
import { listEvents } from '../../../shared/operations/audit/list-events.ts';
import { sweepHeads } from '../../../shared/operations/audit/sign-heads.ts';
import { verifyEvents } from '../../../shared/operations/audit/verify-events.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { errorOf, valueOf } from '../data-keys/world.ts';
import { ChainRig, headOf, OTHER, RECORDS, SIGNED_AT } from './chain-rig.ts';
import { agendaIn, chainOf, COMPANY } from './chain.ts';

describe('a chain that nobody has touched', () => {
  it('is intact, and its head is the last record', async () => {
    const chain = await ChainRig.started();
    const report = valueOf(await verifyEvents(chain.deps, { companyId: COMPANY }));
    expect(report).toEqual({ status: 'intact', problems: [], head: headOf(chain.record(RECORDS)) });
  });

  it('is intact before its first record, and there is none of a company that never was', async () => {
    const chain = new ChainRig();
    chain.rig.store.tamper('companies', COMPANY, 'company', {
      format: 1,
      companyId: COMPANY,
      displayName: '',
      defaultKeyring: 'default',
      state: 'active',
      createdAt: 'now',
    });
    expect(await chain.problems()).toEqual([]);
    expect(errorOf(await verifyEvents(chain.deps, { companyId: OTHER }))).toMatchObject({ type: 'not-found' });
  });

  it('is intact for every head that it had, and broken for any other', async () => {
    const chain = await ChainRig.started();
    expect(await chain.problems(headOf(chain.record(3)))).toEqual([]);
    expect(await chain.problems({ sequence: 3, hash: 'another' })).toEqual(['rewritten 3']);
  });

  it('is intact over many pages, short and empty ones among them', async () => {
    const chain = await ChainRig.started();
    let call = 0;
    const { store } = chain.rig;
    const tables = {
      read: store.read.bind(store),
      write: store.write.bind(store),
      list: (query: Parameters<typeof store.list>[0]) => {
        call += 1;
        if (call % 2 === 0) return Promise.resolve({ rows: [], continuation: query.continuation ?? query.after ?? '' });
        return store.list({ ...query, limit: 3 });
      },
    };
    const report = await verifyEvents({ ...chain.deps, tables }, { companyId: COMPANY });
    expect(valueOf(report).problems).toEqual([]);
  });

  it('is intact at every moment while others append and sign', async () => {
    const chain = await ChainRig.started();
    const faults = { lostBefore: 0, lostAfter: 0, unavailable: 0 };
    const slow = (seed: number) => new FaultyTables(chain.rig.store, { seed, faults });
    const appending = Promise.all([chain.append(30), chain.append(30), chain.sign()]);
    for (let look = 1; look <= 20; look += 1) {
      const report = await verifyEvents({ ...chain.deps, tables: slow(look) }, { companyId: COMPANY });
      expect(valueOf(report).problems).toEqual([]);
    }
    await appending;
    expect(chainOf(chain.rig.store)).toHaveLength(RECORDS + 60);
  });
});

describe('somebody who writes the tables', () => {
  type Tampering = readonly [name: string, found: string, tamper: (chain: ChainRig) => void | Promise<void>];
  const fields = ['by', 'from', 'requestId', 'action', 'target', 'detail', 'at', 'id'] as const;
  const tamperings: readonly Tampering[] = [
    ...fields.map((field): Tampering => [
      `changes ${field} of a record`,
      'changed 5',
      (chain) => chain.put(5, { ...chain.record(5), [field]: 'x' }),
    ]),
    ['changes its outcome', 'changed 5', (chain) => chain.put(5, { ...chain.record(5), outcome: 'refused' })],
    [
      'makes a record unreadable',
      'changed 5',
      (chain) => chain.rig.store.tamper('events', COMPANY, recordRowKey(5), {}),
    ],
    [
      'changes a record and its hash',
      'changed 5',
      (chain) => {
        const record = { ...chain.record(5), by: 'somebody else' };
        chain.put(5, { ...record, hash: hashOfRecord(record) });
      },
    ],
    ['takes a record away', 'gap 5', (chain) => chain.remove(recordRowKey(5))],
    ['takes the first record away', 'gap 1', (chain) => chain.remove(recordRowKey(1))],
    [
      'swaps two records',
      're-ordered 5',
      (chain) => {
        const [five, six] = [chain.record(5), chain.record(6)];
        chain.put(5, six);
        chain.put(6, five);
      },
    ],
    [
      'swaps two records and their numbers',
      'changed 5',
      (chain) => {
        const [five, six] = [chain.record(5), chain.record(6)];
        chain.put(5, { ...six, sequence: 5 });
        chain.put(6, { ...five, sequence: 6 });
      },
    ],
    [
      "puts another company's record in its place",
      'changed 5',
      async (chain) => {
        await chain.append(RECORDS, OTHER);
        chain.rig.store.tamper('events', COMPANY, recordRowKey(5), recordCells(chain.record(5, OTHER)));
      },
    ],
    [
      'cuts the tail off',
      `tail-cut-off ${RECORDS - 1}`,
      (chain) => chain.remove(recordRowKey(RECORDS), recordRowKey(RECORDS - 1)),
    ],
    [
      'cuts the tail off and sets the head back',
      `marker-without-record ${RECORDS}`,
      async (chain) => {
        await chain.remove(recordRowKey(RECORDS));
        chain.setHead(headOf(chain.record(RECORDS - 1)));
      },
    ],
    [
      'cuts the tail off before a signed head, sets the head back and takes the markers away',
      `tail-cut-off ${SIGNED_AT}`,
      async (chain) => {
        for (let at = SIGNED_AT; at <= RECORDS; at += 1) {
          await chain.remove(markerRowKey(chain.record(at).id), recordRowKey(at));
        }
        chain.setHead({ ...headOf(chain.record(SIGNED_AT - 1)), signedSequence: 0 });
      },
    ],
    [
      'writes the chain anew from before a signed head',
      `rewritten ${SIGNED_AT}`,
      (chain) => chain.rewriteFrom(2, { by: 'somebody else' }),
    ],
    [
      'writes the chain anew and its signed head too',
      `signature-forged ${SIGNED_AT}`,
      (chain) => {
        chain.rewriteFrom(2, { by: 'somebody else' });
        const { cells } = chain.rig.store.peek('events', COMPANY, signedRowKey(SIGNED_AT)) ?? { cells: {} };
        chain.rig.store.tamper('events', COMPANY, signedRowKey(SIGNED_AT), {
          ...cells,
          hash: chain.record(SIGNED_AT).hash,
        });
      },
    ],
    ['takes the signature away', `signature-missing ${SIGNED_AT}`, (chain) => chain.remove(signedRowKey(SIGNED_AT))],
    ['signs by a key of its own', `signature-forged ${SIGNED_AT}`, (chain) => chain.forgeSignature(SIGNED_AT)],
    ['sets the head back', 'head-forged 9', (chain) => chain.setHead(headOf(chain.record(9)))],
    ['sets the head forward', `tail-cut-off ${RECORDS + 1}`, (chain) => chain.setHead({ sequence: 40 })],
    ['forges the hash of the head', `head-forged ${RECORDS}`, (chain) => chain.setHead({ hash: 'x' })],
    [
      'makes the head unreadable',
      `head-forged ${RECORDS}`,
      (chain) => chain.rig.store.tamper('events', COMPANY, HEAD_ROW_KEY, {}),
    ],
    [
      'marks an event that was never recorded',
      'marker-without-record 4',
      (chain) => chain.rig.store.tamper('events', COMPANY, markerRowKey('never'), markerCells(4)),
    ],
    ['takes a marker away', 'record-without-marker 4', (chain) => chain.remove(markerRowKey(chain.record(4).id))],
  ];

  it.each(tamperings)('%s: found as %s', async (_, found, tamper) => {
    const chain = await ChainRig.started();
    await tamper(chain);
    expect(await chain.problems()).toContain(found);
  });

  it('writes everything anew and takes the signatures away: found only by a head that is known from elsewhere', async () => {
    const chain = await ChainRig.started();
    const known = headOf(chain.record(SIGNED_AT));
    chain.rewriteFrom(2, { by: 'somebody else' });
    await chain.remove(signedRowKey(SIGNED_AT));
    chain.setHead({ signedSequence: 0 });
    expect(await chain.problems()).toEqual([]);
    expect(await chain.problems(known)).toEqual([`rewritten ${SIGNED_AT}`]);
  });

  it('is named in the log', async () => {
    const chain = await ChainRig.started();
    await chain.remove(recordRowKey(5));
    await chain.problems();
    const detail = { companyId: COMPANY, code: 'gap' satisfies ProblemCode, sequence: 5 };
    expect(chain.rig.log.entries).toContainEqual({ level: 'error', event: 'security.events-broken', detail });
  });

  it('is told from what a caller has made up: a head, a beginning, a continuation', async () => {
    const chain = await ChainRig.started();
    const asked = { by: 'an auditor', requestId: 'r1' };
    const madeUp = { sequence: 3, hash: 'f'.repeat(64) };
    const { continuation = '' } = valueOf(await verifyEvents(chain.deps, { companyId: COMPANY }, { maxRows: 1 }));
    const altered = continuation.replace(/("last":.*?"hash":")[0-9a-f]{8}/, '$1ffffffff');
    for (const [given, brought] of [
      ['head', { known: madeUp }],
      ['from', { from: madeUp }],
      ['continuation', { continuation: altered }],
      ['head from', { known: madeUp, from: madeUp }],
    ] as const) {
      chain.rig.log.entries.length = 0;
      const report = valueOf(await verifyEvents(chain.deps, { companyId: COMPANY, asked, ...brought }));
      expect([given, report.status]).toEqual([given, 'broken']);
      const logged = chain.rig.log.entries.map(({ detail }) => detail);
      expect(logged.length).toBeGreaterThan(0);
      for (const detail of logged) expect(detail).toMatchObject({ ...asked, given });
    }
  });
});

describe('the hourly signature', () => {
  it('is made of a head that moved, once, and logged so that it can be checked from the log alone', async () => {
    const chain = await ChainRig.started();
    expect(await chain.sign()).toBe(1);
    expect(await chain.sign()).toBe(0);
    const logged = chain.rig.log.entries.filter(({ event }) => event === 'events.head-signed').at(-1)?.detail ?? {};
    expect(logged).toMatchObject({ companyId: COMPANY, ...headOf(chain.record(RECORDS)) });
    expect(logged['signature']).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(await chain.problems()).toEqual([]);
    expect(agendaIn(chain.rig.store, 'head')).toEqual([]);
  });

  it('waits on the agenda while the seal key cannot be had', async () => {
    const chain = await ChainRig.started();
    const signs = chain.vaults.sign.bind(chain.vaults);
    chain.vaults.sign = () => Promise.resolve({ ok: false, error: { code: 'vault-error' } } as never);
    expect(await chain.sign()).toBe(0);
    expect(agendaIn(chain.rig.store, 'head')).toHaveLength(1);
    chain.vaults.sign = signs;
    expect(await sweepHeads(chain.deps)).toBe(1);
  });
});

describe('the list of events', () => {
  it('goes on from page to page, oldest first', async () => {
    const chain = await ChainRig.started();
    const seen: number[] = [];
    let continuation: string | undefined;
    do {
      const query = { companyId: COMPANY, limit: 5, ...(continuation === undefined ? {} : { continuation }) };
      const page = valueOf(await listEvents(chain.deps, query));
      seen.push(...page.records.map(({ sequence }) => sequence));
      continuation = page.continuation;
    } while (continuation !== undefined);
    expect(seen).toEqual(Array.from({ length: RECORDS }, (_, index) => index + 1));
  });

  it('is refused for a continuation that is none, and for a company that never was', async () => {
    const chain = await ChainRig.started();
    const bad = await listEvents(chain.deps, { companyId: COMPANY, limit: 5, continuation: '!head' });
    expect(errorOf(bad)).toMatchObject({ type: 'invalid' });
    expect(errorOf(await listEvents(chain.deps, { companyId: OTHER, limit: 5 }))).toMatchObject({ type: 'not-found' });
  });
});
