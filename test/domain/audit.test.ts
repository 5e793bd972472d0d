import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventOf, hashOfRecord, sealedBytesOfHead, type Act } from '../../shared/domain/audit.ts';

const ACTOR = { by: 'admin', from: '203.0.113.7', requestId: 'r1' };
const HOW = { id: 'e1', at: '2026-01-01T00:00:00.000Z', outcome: 'done' } as const;
const ACT: Act = { action: 'switch.start', companyId: 'acme', target: 'switch|default|s1' };
const LONG = 'x'.repeat(600);

describe('an event', () => {
  it('tells its details in the order of their names, without those that there are none of', () => {
    const detail = { code: 'a', before: undefined, by: 1, attempt: true };
    expect(eventOf(ACTOR, { ...ACT, detail }, HOW).detail).toBe('{"attempt":true,"by":1,"code":"a"}');
    expect(eventOf(ACTOR, ACT, HOW)).toEqual({ ...ACTOR, ...ACT, ...HOW, detail: '{}' });
  });

  it('can be stored, whatever somebody wrote into a header or a name', () => {
    const actor = { by: LONG, from: LONG, requestId: LONG };
    const detail = { [LONG]: LONG };
    const event = eventOf(actor, { ...ACT, action: LONG, target: `${'x'.repeat(511)}\u{1f600}`, detail }, HOW);
    const kept = 'x'.repeat(512);
    expect(event).toMatchObject({ by: kept, from: kept, requestId: kept, action: kept });
    expect(event.target).toBe(`${'x'.repeat(511)}\ufffd`);
    expect(event.detail).toBe(JSON.stringify({ [kept]: kept }));
  });

  it('tells so many details and no more', () => {
    const names = Array.from({ length: 300 }, (_, index) => `n${String(index).padStart(3, '0')}`);
    const detail = Object.fromEntries(names.toReversed().map((name) => [name, 0]));
    const told = JSON.parse(eventOf(ACTOR, { ...ACT, detail }, HOW).detail) as object;
    expect(Object.keys(told)).toEqual(names.slice(0, 250));
  });
});

/** Each text with its length before it, as the rows of old records were hashed: whoever changes this makes them all invalid. */
const prefixed = (texts: readonly string[]): Buffer =>
  Buffer.concat(
    texts.map((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return Buffer.concat([length, Buffer.from(text)]);
    }),
  );

describe('what is hashed and signed', () => {
  it('of a record is everything but its hash', () => {
    const record = { ...eventOf(ACTOR, ACT, HOW), sequence: 7, previous: 'p' };
    const texts = ['keyswitch.event.1', 'acme', '7', HOW.id, HOW.at, 'admin', ACTOR.from, 'r1', ACT.action];
    const bytes = prefixed([...texts, ACT.target, 'done', '{}', 'p']);
    expect(hashOfRecord(record)).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('of a head is where it stands, and when', () => {
    const bytes = sealedBytesOfHead('acme', { sequence: 7, hash: 'h', at: HOW.at });
    expect(Buffer.compare(bytes, prefixed(['keyswitch.seal.events.1', 'acme', '7', 'h', HOW.at]))).toBe(0);
  });
});

it('details that would not fit into a property of a row are left out, and how many', () => {
  const detail = Object.fromEntries(
    Array.from({ length: 250 }, (_, index) => [
      `${String(index).padStart(3, '0')}${'\u0001'.repeat(500)}`,
      'x'.repeat(500),
    ]),
  );
  const event = eventOf(ACTOR, { action: 'a', companyId: 'acme', target: 't', detail }, HOW);
  expect(event.detail.length).toBeLessThan(32 * 1024);
  const { zzLeftOut, ...kept } = JSON.parse(event.detail) as Record<string, unknown>;
  expect(Object.keys(kept).length + Number(zzLeftOut)).toBe(250);
});
