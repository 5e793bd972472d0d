import { describe, expect, it } from 'vitest';
import { KEEPING_SUITE, SMALL_STATES } from './keeping-suite.ts';

const small = KEEPING_SUITE.filter(({ states }) => states <= SMALL_STATES);

describe('kept keys, torn copies and counts, explored whole', () => {
  it.each(small)('$title: $outcome', ({ run, outcome, states }) => {
    expect(run()).toMatchObject({ outcome, states });
  });
});
