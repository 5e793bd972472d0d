// The larger spaces of keeping.test.ts: some three million states, two minutes of one core.
import { describe, expect, it } from 'vitest';
import { KEEPING_SUITE, SMALL_STATES } from './keeping-suite.ts';

const LONGEST_MS = 600_000;
const large = KEEPING_SUITE.filter(({ states }) => states > SMALL_STATES);

describe('kept keys, torn copies and counts, explored whole', () => {
  it.each(large)(
    '$title: $outcome',
    ({ run, outcome, states }) => {
      expect(run()).toMatchObject({ outcome, states });
    },
    LONGEST_MS,
  );
});
