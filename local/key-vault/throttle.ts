// Key Vault's transaction limits per vault and 10 seconds: every operation weighs 1/limit of its kind, and the sum may
// not pass 1. Counts only; what is refused does not count.
import type { KeyKind } from './model.ts';

const WINDOW_MS = 10_000;

interface Limits {
  readonly create: number;
  readonly other: number;
}

/** Azure's published limits per vault and 10 s (docs/azure.md). */
function limitsOf(kind: KeyKind, sizeBits: number): Limits {
  const hsm = kind.endsWith('-HSM');
  if (kind.startsWith('EC')) return hsm ? { create: 10, other: 2_000 } : { create: 20, other: 4_000 };
  if (sizeBits <= 2048) return hsm ? { create: 10, other: 2_000 } : { create: 20, other: 4_000 };
  if (sizeBits <= 3072) return hsm ? { create: 10, other: 500 } : { create: 20, other: 1_000 };
  return hsm ? { create: 10, other: 250 } : { create: 20, other: 500 };
}

export class Throttle {
  #windowStartMs = 0;
  #used = 0;

  /** Whether the operation still fits; counts it if so. `scale` 0.01 stands for a hundredth of Azure's limits. */
  admit(options: {
    readonly kind: KeyKind;
    readonly sizeBits: number;
    readonly creates: boolean;
    readonly scale: number;
    readonly nowMs: number;
  }): boolean {
    const { kind, sizeBits, creates, scale, nowMs } = options;
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#used = 0;
    }
    const limits = limitsOf(kind, sizeBits);
    const weight = 1 / (scale * (creates ? limits.create : limits.other));
    // Sums of fractions miss 1 by a hair.
    if (this.#used + weight > 1 + 1e-9) return false;
    this.#used += weight;
    return true;
  }
}
