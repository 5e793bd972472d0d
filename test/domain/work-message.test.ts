import { describe, expect, it } from 'vitest';
import { parseWorkMessage } from '../../shared/domain/work-message.ts';

const IDS = { companyId: 'acme', keyringId: 'default', switchId: 's1' };
const ADVANCE = { format: 1, kind: 'advance', attempt: 0, ...IDS };
const REPROTECT = { ...ADVANCE, kind: 'reprotect', generation: 1, firstShard: 0, lastShard: 3 };

describe('a message', () => {
  it.each([
    ['to go on', ADVANCE],
    ['to go on, after a million attempts', { ...ADVANCE, attempt: 1_000_000 }],
    ['to work shards', REPROTECT],
    ['to work one shard', { ...REPROTECT, firstShard: 3 }],
    ['to work the last shard there can be', { ...REPROTECT, firstShard: 1_024, lastShard: 1_024 }],
    ['of the last generation there can be', { ...REPROTECT, generation: Number.MAX_SAFE_INTEGER }],
  ])('%s is understood as it is', (_, message) => {
    expect(parseWorkMessage(message)).toEqual({ ok: true, value: message });
  });

  it.each([
    ['a text', 'advance', 'not a JSON object'],
    ['nothing', null, 'not a JSON object'],
    ['a list', [ADVANCE], 'not a JSON object'],
    ['of another format', { ...ADVANCE, format: 2 }, 'unknown format'],
    ['of another kind', { ...ADVANCE, kind: 'toString' }, 'unknown kind'],
    ['with a field of the other kind', { ...ADVANCE, generation: 1 }, 'unknown field'],
    ['that was tried less than never', { ...ADVANCE, attempt: -1 }, 'attempt is not a count'],
    ['that was tried too often', { ...ADVANCE, attempt: 1_000_001 }, 'attempt is not a count'],
    ['that was tried half', { ...ADVANCE, attempt: 0.5 }, 'attempt is not a count'],
    ['whose attempts are a text', { ...ADVANCE, attempt: '1' }, 'attempt is not a count'],
    ['of no company', { ...ADVANCE, companyId: '' }, 'companyId is not an id'],
    ['of a keyring that cannot be', { ...ADVANCE, keyringId: 'a|b' }, 'keyringId is not an id'],
    ['of a switch that is a number', { ...ADVANCE, switchId: 7 }, 'switchId is not an id'],
    ['of no generation', { ...REPROTECT, generation: undefined }, 'generation is not a count'],
    ['from no shard on', { ...REPROTECT, firstShard: undefined }, 'the range of shards is none'],
    ['up to no shard', { ...REPROTECT, lastShard: undefined }, 'the range of shards is none'],
    ['up to a shard too many', { ...REPROTECT, lastShard: 1_025 }, 'the range of shards is none'],
    ['from a later shard on', { ...REPROTECT, firstShard: 4 }, 'the range of shards is none'],
  ])('%s is refused with one sentence', (_, message, sentence) => {
    expect(parseWorkMessage(message)).toEqual({ ok: false, error: sentence });
  });
});
