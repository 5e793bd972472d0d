// How long to wait before another attempt at what may pass by itself. Pure.

export interface BackOff {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Doubles from `firstMs` to `lastMs`; `chance` from 0 to 1 spreads each wait over its upper half. */
export function backOffMs(backOff: BackOff, input: { readonly attempt: number; readonly chance: number }): number {
  const longestMs = Math.min(backOff.firstMs * 2 ** Math.min(input.attempt, 30), backOff.lastMs);
  return Math.round(longestMs * (0.5 + input.chance / 2));
}
