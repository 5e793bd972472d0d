import { describe, expect, it } from 'vitest';
import { Throttle } from '../../../local/key-vault/throttle.ts';

const RSA_2048 = { kind: 'RSA', sizeBits: 2048, scale: 1 } as const;
const HSM_4096 = { kind: 'RSA-HSM', sizeBits: 4096, scale: 1 } as const;

/** How many of these operations are let through at one moment. */
function admitted(throttle: Throttle, options: Omit<Parameters<Throttle['admit']>[0], 'nowMs'>, nowMs: number): number {
  let count = 0;
  while (throttle.admit({ ...options, nowMs })) count += 1;
  return count;
}

describe('the transaction limits of a vault', () => {
  it.each([
    [{ ...RSA_2048, creates: false }, 4_000],
    [{ ...RSA_2048, creates: true }, 20],
    [{ ...RSA_2048, sizeBits: 3072, creates: false }, 1_000],
    [{ ...HSM_4096, creates: false }, 250],
    [{ ...HSM_4096, creates: true }, 10],
    [{ ...RSA_2048, kind: 'EC', sizeBits: 256, creates: false }, 4_000],
    [{ ...HSM_4096, creates: false, scale: 0.1 }, 25],
  ] as const)('let %o through as often as Azure does in 10 s', (options, limit) => {
    expect(admitted(new Throttle(), options, 1_000_000)).toBe(limit);
  });

  it('are shared by weight, and what is refused does not count', () => {
    const throttle = new Throttle();
    for (let index = 0; index < 10; index += 1) throttle.admit({ ...RSA_2048, creates: true, nowMs: 1_000_000 });
    expect(admitted(throttle, { ...HSM_4096, creates: false }, 1_000_000)).toBe(125);
    expect(admitted(throttle, { ...RSA_2048, creates: false }, 1_009_999)).toBe(0);
  });

  it('begin anew after 10 s', () => {
    const throttle = new Throttle();
    admitted(throttle, { ...HSM_4096, creates: true }, 1_000_000);
    expect(admitted(throttle, { ...HSM_4096, creates: true }, 1_010_000)).toBe(10);
  });
});
