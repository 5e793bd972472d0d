import { describe, expect, it } from 'vitest';
import { err, ok } from '../../shared/domain/result.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { settleRaces, undecided, type Undecided } from '../../shared/store/races.ts';

const races = {
  timers: { sleep: () => Promise.resolve(), yield: () => Promise.resolve() },
  entropy: { bytes: (count: number) => new Uint8Array(count), id: () => 'id' },
};
const after = (...undone: readonly Undecided[]): Promise<unknown> => {
  const left = [...undone];
  return settleRaces(races, () => Promise.resolve(left.shift() ?? ok('done')));
};
const times = (count: number, why: Undecided): Undecided[] => Array.from({ length: count }, () => why);

describe('an act that others outrun', () => {
  it('is decided when it is not any more', async () => {
    expect(await after(...times(11, 'lost-race'))).toEqual(ok('done'));
  });

  it('is busy after as many attempts as are made, and was not done', async () => {
    expect(await after(...times(12, 'lost-race'))).toEqual(err({ type: 'busy', retryAfterSeconds: 1 }));
  });
});

describe('an act whose outcome the store does not tell', () => {
  it('is decided when it does', async () => {
    expect(await after(...times(11, 'no-answer'))).toEqual(ok('done'));
  });

  it.each([
    ['each time', times(12, 'no-answer')],
    ['and that others outran later: it may have been done', [...times(1, 'no-answer'), ...times(11, 'lost-race')]],
    ['and that others had outrun before', [...times(11, 'lost-race'), ...times(1, 'no-answer')]],
  ] as const)('%s, is the store being away and not others who write', async (_name, undone) => {
    await expect(after(...undone)).rejects.toThrow(StoreUnavailable);
  });

  it('is told from a lost race by the outcome of its write', () => {
    expect(undecided({ outcome: 'unknown' })).toBe('no-answer');
    expect(undecided({ outcome: 'conflict', index: 0, reason: 'changed' })).toBe('lost-race');
  });
});
