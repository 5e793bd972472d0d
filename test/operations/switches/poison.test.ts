// Messages that nobody can work on: recorded once, by a hash, and over.
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_PARTITION } from '../../../shared/store/rows/row-keys.ts';
import { recordPoison } from '../../../shared/operations/switches/poison.ts';
import { type Cells } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { MISHAPS, tablesTripping } from '../../fakes/tables-but.ts';
import { auditRig, chainOf, outboxesIn, type AuditRig } from '../audit/chain.ts';

const POISON = 'poison|';
const SECRET = 'b3BlbiBzZXNhbWU';
const MESSAGE = { reason: 'unknown format', value: { format: 9, secret: SECRET }, messageId: 'm-1' };

let rig: AuditRig;
beforeEach(() => {
  rig = auditRig();
});

const rowsOf = ({ store }: AuditRig): { readonly rowKey: string; readonly cells: Cells }[] =>
  [...store.dump()].filter(({ rowKey }) => rowKey.startsWith(POISON));
const recorded = ({ store }: AuditRig) => chainOf(store, SYSTEM_PARTITION);

/** As whoever gets it again finds out whether it is the same: by the text of its body. */
const hashOfValue = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([value]))
    .digest('hex');

/** Parsed without trouble, as a queue does, and deeper than anything can be written. */
function nested(depth = 50_000): unknown {
  const value: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  expect(() => JSON.stringify(value)).toThrow(RangeError);
  return value;
}

describe('a poison message', () => {
  it('is told by its hash, what is wrong with it, its id and when it came', async () => {
    await recordPoison(rig.deps, MESSAGE);
    const hash = hashOfValue(MESSAGE.value);
    const at = rig.clock.now().toISOString();
    expect(rowsOf(rig)).toMatchObject([
      { rowKey: `poison|${hash}`, cells: { format: 1, reason: 'unknown format', hash, messageId: 'm-1', at } },
    ]);
    expect(recorded(rig)).toMatchObject([
      { action: 'message.poison', by: 'keyswitch', target: `poison|${hash}`, detail: '{"reason":"unknown format"}' },
    ]);
    expect(rig.log.entries).toEqual([
      { level: 'error', event: 'security.poison-message', detail: { reason: 'unknown format', hash } },
    ]);
  });

  it('leaves nothing of its content in any row or log line', async () => {
    await recordPoison(rig.deps, MESSAGE);
    expect(JSON.stringify([[...rig.store.dump()], rig.log.entries])).not.toContain(SECRET);
  });

  it.each([
    ['no body', undefined],
    ['a body that is nothing', null],
    ['a body of text', SECRET],
  ])('is recorded with %s', async (_what, value) => {
    await recordPoison(rig.deps, { reason: 'not an object', value });
    expect(rowsOf(rig)).toMatchObject([{ cells: { hash: hashOfValue(value), messageId: '' } }]);
  });

  it('that comes again is recorded once, whatever id it has by then', async () => {
    await recordPoison(rig.deps, MESSAGE);
    const first = rowsOf(rig);
    rig.clock.advance(60_000);
    await recordPoison(rig.deps, { ...MESSAGE, messageId: 'm-2' });
    expect(rowsOf(rig)).toEqual(first);
    expect(recorded(rig)).toHaveLength(1);
    expect(outboxesIn(rig.store)).toEqual([]);
  });

  it('is not taken for another', async () => {
    await recordPoison(rig.deps, MESSAGE);
    await recordPoison(rig.deps, { ...MESSAGE, value: { ...MESSAGE.value, format: 8 } });
    expect(rowsOf(rig)).toHaveLength(2);
    expect(recorded(rig)).toHaveLength(2);
  });
});

describe('a poison message that is nested too deeply to be written', () => {
  it('is recorded once by its id, and is over', async () => {
    const message = { reason: 'not an object', value: nested(), messageId: 'm-1' };
    await recordPoison(rig.deps, message);
    await recordPoison(rig.deps, message);
    expect(rowsOf(rig)).toMatchObject([{ cells: { reason: 'not an object', messageId: 'm-1' } }]);
    expect(recorded(rig)).toHaveLength(1);
  });

  it('is told apart from another such by its id, and from one that has none', async () => {
    for (const id of [{ messageId: 'm-1' }, { messageId: 'm-2' }, {}])
      await recordPoison(rig.deps, { reason: 'not an object', value: nested(), ...id });
    expect(rowsOf(rig).map(({ cells }) => cells['messageId'])).toEqual(['m-1', 'm-2', '']);
    expect(recorded(rig)).toHaveLength(3);
  });
});

describe.each(MISHAPS)('where the write of a poison message ends as %s', (mishap) => {
  it('it is recorded once, and the message is over', async () => {
    const byAnother = (): Promise<void> => recordPoison(rig.deps, MESSAGE);
    const tables = tablesTripping(rig.store, POISON, { mishap, ...(mishap === 'outrun' && { meanwhile: byAnother }) });
    await recordPoison(rig.over(tables), MESSAGE);
    expect(rowsOf(rig)).toHaveLength(1);
    expect(recorded(rig)).toHaveLength(1);
    expect(outboxesIn(rig.store)).toEqual([]);
  });
});

describe('a store that does not say whether a poison message was recorded', () => {
  it.each([
    ['it was not', 0],
    ['it was', 1],
  ])('has it come again if it was not found, and it is recorded once: %s', async (_what, rows) => {
    const tables = new FaultyTables(rig.store);
    const meant = tables.at(({ writes }) => writes.some(({ rowKey }) => rowKey.startsWith(POISON)));
    if (rows > 0) meant.losesTheAnswer();
    else meant.isLost();
    const lost = recordPoison(rig.over(tables), MESSAGE);
    if (rows > 0) await expect(lost).resolves.toBeUndefined();
    else await expect(lost).rejects.toThrow(StoreUnavailable);
    expect(rowsOf(rig)).toHaveLength(rows);
    await recordPoison(rig.deps, MESSAGE);
    expect(rowsOf(rig)).toHaveLength(1);
    // With the act's own transaction: one that was written is on its way to the chain, by the timer.
    expect(recorded(rig).length + outboxesIn(rig.store).length).toBe(1);
  });
});
