import { describe, expect, it } from 'vitest';
import { parseCheckMessage, type CheckMessage } from '../../shared/domain/check-message.ts';

const MESSAGE: CheckMessage = {
  format: 1,
  kind: 'check',
  companyId: 'contoso',
  connectionId: 'main',
  because: 'denial',
};

const ROUND: CheckMessage = { format: 1, kind: 'round', lane: 'quick', bucket: '07', slot: 29_000_000 };

describe('a message of the queue of checks', () => {
  it.each([MESSAGE, ROUND])('is taken as it was sent ($kind)', (message) => {
    expect(parseCheckMessage(message)).toEqual({ ok: true, value: message });
  });

  it.each<[string, unknown, string]>([
    ['no object', 'check', 'not a JSON object'],
    ['a list', [MESSAGE], 'not a JSON object'],
    ['of another format', { ...MESSAGE, format: 2 }, 'unknown format'],
    ['of another kind', { ...MESSAGE, kind: 'advance' }, 'unknown kind'],
    ['with a field more', { ...MESSAGE, host: 'evil.example' }, 'unknown field'],
    ['of no company', { ...MESSAGE, companyId: '../x' }, 'companyId is not an id'],
    ['of a company that is no text', { ...MESSAGE, companyId: 7 }, 'companyId is not an id'],
    ['of no connection', { ...MESSAGE, connectionId: '' }, 'connectionId is not an id'],
    ['for no reason', { ...MESSAGE, because: undefined }, 'unknown reason'],
    ['for another reason', { ...MESSAGE, because: 'whim' }, 'unknown reason'],
    ['a round of a connection', { ...ROUND, connectionId: 'main' }, 'unknown field'],
    ['of another lane', { ...ROUND, lane: 'fast' }, 'unknown lane'],
    ['of no bucket', { ...ROUND, bucket: '7|x' }, 'bucket is none'],
    ['of a slot that is text', { ...ROUND, slot: '7' }, 'slot is no number'],
  ])('that is %s is refused in a sentence without its content', (_what, value, reason) => {
    expect(parseCheckMessage(value)).toEqual({ ok: false, error: reason });
  });
});
