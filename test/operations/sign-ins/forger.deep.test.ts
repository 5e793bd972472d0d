// A thousand seeds of the forger of words.
import { expect, it } from 'vitest';
import { runForger } from './forger.ts';

it('in a thousand seeds of row writes between the steps of sign-ins, no word is forged', async () => {
  for (let seed = 0; seed < 1000; seed += 1) {
    expect((await runForger(seed)).forged, `seed ${seed}`).toEqual([]);
  }
});
