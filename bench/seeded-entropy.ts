// Randomness that repeats from a seed, at about the price of the real one: an AES-256-CTR key stream. For benchmarks only.
import { createCipheriv, createHash, type Cipheriv } from 'node:crypto';
import type { Entropy } from '../shared/domain/ports.ts';

export class SeededEntropy implements Entropy {
  readonly #stream: Cipheriv;
  #ids = 0;

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest();
    this.#stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  bytes(count: number): Uint8Array {
    return this.#stream.update(Buffer.alloc(count));
  }

  id(): string {
    this.#ids += 1;
    return `00000000-0000-7000-8000-${String(this.#ids).padStart(12, '0')}`;
  }
}

/** The same in an order that repeats from the seed. */
export function shuffled<T>(items: readonly T[], seed: string): T[] {
  const entropy = new SeededEntropy(seed);
  const drawn = items.map((item) => ({ item, at: Buffer.from(entropy.bytes(6)).readUIntBE(0, 6) }));
  return drawn.sort((a, b) => a.at - b.at).map(({ item }) => item);
}
