// Records are read as a stranger's: one of which a cell is missing is none, and the check of the chain names it.
import { describe, expect, it } from 'vitest';
import { type AuditRecord, NO_HEAD } from '../../../shared/domain/audit.ts';
import {
  headCells,
  markerCells,
  outboxCells,
  readHead,
  readMarker,
  readOutbox,
  readRecord,
  readSigned,
  recordCells,
  signedCells,
  type SignedHead,
} from '../../../shared/store/rows/audit-rows.ts';
import { MalformedRow } from '../../../shared/store/rows/cells.ts';

const AT = '2026-01-01T00:00:00.000Z';
const record: AuditRecord = {
  id: 'e1',
  companyId: 'acme',
  at: AT,
  by: 'admin',
  from: '203.0.113.7',
  requestId: 'r1',
  action: 'switch.start',
  target: 'switch|default|s1',
  outcome: 'done',
  detail: '{}',
  sequence: 2,
  previous: 'p',
  hash: 'h',
};
const OF_EVENT = ['format', 'at', 'by', 'from', 'requestId', 'action', 'target', 'outcome', 'detail'];

describe('an event on its way', () => {
  const { sequence: _, previous: _previous, hash: _hash, ...event } = record;
  const cells = outboxCells(event);
  const PLACE = { companyId: 'acme', id: 'e1' };

  it('comes back as it was written, its id and company from where it was found', () => {
    expect(readOutbox(cells, PLACE)).toEqual(event);
    expect(Object.keys(cells).toSorted()).toEqual(OF_EVENT.toSorted());
  });

  it.each(OF_EVENT)('without its cell %s is none', (name) => {
    expect(readOutbox({ ...cells, [name]: undefined }, PLACE)).toBeUndefined();
  });

  it.each([
    ['of another format', { format: 2 }],
    ['with an outcome that there is not', { outcome: 'odd' }],
  ])('%s is none', (_title, change) => {
    expect(readOutbox({ ...cells, ...change }, PLACE)).toBeUndefined();
  });
});

describe('a record', () => {
  const cells = recordCells(record);

  it('comes back as it was written, its company from where it was found', () => {
    expect(readRecord(cells, 'acme')).toEqual(record);
    expect(cells).not.toHaveProperty('companyId');
  });

  it.each([...OF_EVENT, 'id', 'sequence', 'previous', 'hash'])('without its cell %s is none', (name) => {
    expect(readRecord({ ...cells, [name]: undefined }, 'acme')).toBeUndefined();
  });
});

describe('the head of a chain', () => {
  const head = { sequence: 2, hash: 'h', signedSequence: 1 };

  it('comes back as it was written, and is at the beginning of a chain that there is not yet', () => {
    expect(readHead(headCells(head))).toEqual(head);
    expect(headCells(head)).toEqual({ format: 1, ...head });
    expect(NO_HEAD).toEqual({ sequence: 0, hash: '', signedSequence: 0 });
  });

  it.each(['sequence', 'hash', 'signedSequence'])('is malformed without its cell %s, and says so', (name) => {
    const wrong = new MalformedRow(`row !head: cell ${name} is missing or malformed`);
    expect(() => readHead({ ...headCells(head), [name]: undefined })).toThrow(wrong);
  });
});

describe('a marker', () => {
  it('says which event has which place in the chain, or none if that cannot be read', () => {
    expect(markerCells(7)).toEqual({ format: 1, sequence: 7 });
    expect(readMarker('marker|e1', markerCells(7))).toEqual({ id: 'e1', sequence: 7 });
    expect(readMarker('marker|e1', {})).toEqual({ id: 'e1', sequence: 0 });
  });
});

describe('a signed head', () => {
  const signed: SignedHead = { sequence: 2, hash: 'h', at: AT, seal: { keyVersion: '1', signature: 's' } };
  const cells = signedCells(signed);

  it('comes back as it was written, with nothing in its seal that does not belong there', () => {
    expect(cells).toEqual({ format: 1, sequence: 2, hash: 'h', at: AT, seal: JSON.stringify(signed.seal) });
    expect(readSigned({ ...cells, seal: JSON.stringify({ ...signed.seal, more: 1 }) })).toEqual(signed);
  });

  it.each([
    ['no place', { sequence: undefined }],
    ['no hash', { hash: undefined }],
    ['no time', { at: undefined }],
    ['no seal', { seal: undefined }],
    ['a seal that is a list', { seal: '[]' }],
    ['a seal by no key', { seal: '{"signature":"s"}' }],
    ['a seal that is not signed', { seal: '{"keyVersion":"1"}' }],
  ])('with %s is none', (_, change) => {
    expect(readSigned({ ...cells, ...change })).toBeUndefined();
  });
});
