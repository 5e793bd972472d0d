import { describe, expect, it } from 'vitest';
import type { Wrap } from '../../shared/domain/company-key.ts';
import {
  judgeNewest,
  LAST_CALLS_MS,
  leftNow,
  stateOfVersion,
  versionsDropped,
  versionsToRead,
} from '../../shared/domain/key-versions.ts';
import { failure } from '../../shared/failures.ts';

const OLD = { keyId: 'old', dates: { createdAt: '2026-01-01T00:00:00.000Z' } };
const NEW = { keyId: 'new', dates: { createdAt: '2026-06-01T00:00:00.000Z' } };
const unfit = failure('key-disabled');

describe('the newest version of a key', () => {
  it.each([
    ['is the one in use', OLD, OLD, { type: 'same' }],
    ['is newer', OLD, NEW, { type: 'follow' }],
    ['was made in the same second', OLD, { ...NEW, dates: OLD.dates }, { type: 'follow' }],
    ['has no date', OLD, { keyId: 'new', dates: {} }, { type: 'follow' }],
    ['is older, as a store that is behind answers', NEW, OLD, { type: 'older' }],
    ['is older and unfit', NEW, { ...OLD, unfit }, { type: 'older' }],
    ['cannot be used', OLD, { ...NEW, unfit }, { type: 'not-followed', why: unfit.message }],
    ['is the one in use, which cannot be used', OLD, { ...OLD, unfit }, { type: 'same' }],
    ['leaves the HSM', { ...OLD, isHsm: true }, { ...NEW, isHsm: false }, { type: 'not-followed' }],
    ['says nothing of an HSM', { ...OLD, isHsm: true }, NEW, { type: 'not-followed' }],
    ['comes into an HSM', { ...OLD, isHsm: false }, { ...NEW, isHsm: true }, { type: 'follow' }],
    ['stays in the HSM', { ...OLD, isHsm: true }, { ...NEW, isHsm: true }, { type: 'follow' }],
  ])('that %s', (_what, inUse, newest, expected) => {
    expect(judgeNewest(inUse, newest)).toMatchObject(expected);
  });
});

describe('a version that was left', () => {
  const leftAt = '2026-06-01T00:00:00.000Z';
  it.each([
    [0, true, 'in-use'],
    [LAST_CALLS_MS * 2, true, 'in-use'],
    [0, false, 'leaving'],
    [LAST_CALLS_MS - 1, false, 'leaving'],
    [LAST_CALLS_MS, false, 'not-needed'],
    // The clock went back.
    [-1, false, 'leaving'],
  ])('is after %i ms, in use: %s, %s', (ms, isInUse, expected) => {
    expect(stateOfVersion({ leftAt }, { isInUse, now: new Date(Date.parse(leftAt) + ms) })).toBe(expected);
  });
});

describe('the versions that a change of company keys leaves', () => {
  const by = (connectionId: string | undefined, keyId: string): Wrap =>
    ({ ref: { provider: 'p', ...(connectionId === undefined ? {} : { connectionId }) }, keyId }) as Wrap;
  it.each<[string, Wrap[], Wrap[], string[]]>([
    ['none, where the same is wrapped again', [by('c', 'v1')], [by('c', 'v1')], []],
    ['the older one, where a newer takes its place', [by('c', 'v1')], [by('c', 'v2')], ['c v1']],
    ['none, where another company key stays under it', [by('c', 'v1'), by('c', 'v1')], [by('c', 'v1')], []],
    [
      'that of one connection, where another leads to the same',
      [by('c', 'v1'), by('d', 'v1')],
      [by('d', 'v1')],
      ['c v1'],
    ],
    ['none of the vendor’s own', [by(undefined, 'v1')], [by('c', 'v1')], []],
  ])('are %s', (_what, before, after, left) => {
    expect(versionsDropped(before, after).map(({ connectionId, keyId }) => `${connectionId} ${keyId}`)).toEqual(left);
  });

  it.each([
    ['once', undefined, '2026-01-31T00:00:00.000Z'],
    ['again', '2026-01-15T00:00:00.000Z', '2026-01-31T00:00:00.000Z'],
    ['again by a clock that was set back', '2026-02-15T00:00:00.000Z', '2026-02-15T00:00:00.000Z'],
  ])('are needed by copies for as long as they are kept, where they were left %s', (_what, before, copiesUntil) => {
    const known = before === undefined ? undefined : { keyId: 'v1', leftAt: before, copiesUntil: before };
    const now = new Date('2026-01-01T00:00:00.000Z');
    const left = leftNow('v1', { known, now, keepMs: 30 * 86_400_000 });
    expect(left).toEqual({ keyId: 'v1', leftAt: now.toISOString(), copiesUntil });
  });
});

describe('what a check reads beside its unwrap', () => {
  const WELL = { isWell: true, isNewerLeft: false };
  const LEFT = { isWell: true, isNewerLeft: true };
  it.each([
    ['at first', undefined, 0, 'newest-first'],
    ['where all is well', WELL, 0, 'newest-first'],
    ['where all is well, five minutes later', WELL, 5, 'newest-first'],
    ['where a newer version is not followed', LEFT, 0, 'newest'],
    ['five minutes later', LEFT, 5, 'in-use'],
    ['ten minutes later', LEFT, 10, 'newest'],
    ['where the vault says no', { isWell: false, isNewerLeft: true }, 5, 'newest-first'],
  ] as const)('%s', (_what, known, minutes, expected) => {
    expect(versionsToRead(known, new Date(minutes * 60_000))).toBe(expected);
  });
});
