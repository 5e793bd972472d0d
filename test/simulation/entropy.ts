// Entropy from the seed. Whatever may become a key carries a mark that nothing else has, so that a plaintext that leaks into a row,
// a message or a log is found by looking for the mark.
import { createHash } from 'node:crypto';
import type { Entropy } from '../../shared/domain/ports.ts';

const MARK = Buffer.from('K3yM4rk!');
const KEY_BYTES = 32;
/** Nonces are drawn by the hundred; keys never are in a simulation. */
const MOST_KEY_BYTES = 40 * KEY_BYTES;

export class SimEntropy implements Entropy {
  readonly #seed: string;
  /** What keeps the ids of one process apart from another's. */
  readonly #node: string;
  #drawn = 0;
  #ids = 0;

  constructor(seed: string) {
    this.#seed = seed;
    this.#node = createHash('sha256').update(seed).digest('hex').slice(0, 15);
  }

  bytes(count: number): Uint8Array {
    const out = this.#draw(count);
    if (count % KEY_BYTES === 0 && count <= MOST_KEY_BYTES) {
      for (let at = 0; at < count; at += KEY_BYTES) MARK.copy(out, at);
    }
    return out;
  }

  /** Key material of a caller's own. */
  marked(count: number): Buffer {
    const out = this.#draw(count);
    MARK.copy(out, 0);
    return out;
  }

  id(): string {
    this.#ids += 1;
    const time = String(this.#ids).padStart(12, '0');
    const [variant, node] = [this.#node.slice(0, 3), this.#node.slice(3)];
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8${variant}-${node}`;
  }

  #draw(count: number): Buffer {
    this.#drawn += 1;
    if (count > MOST_KEY_BYTES) return this.#expand(count);
    const out = Buffer.alloc(count);
    for (let at = 0; at < count; at += KEY_BYTES) {
      createHash('sha256').update(`${this.#seed}|${this.#drawn}|${at}`).digest().copy(out, at);
    }
    return out;
  }

  /** Many bytes from one digest: unique is enough for nonces. */
  #expand(count: number): Buffer {
    const block = createHash('sha256').update(`${this.#seed}|${this.#drawn}`).digest();
    const out = Buffer.alloc(count);
    for (let at = 0; at < count; at += 12) {
      block.copy(out, at, 0, Math.min(8, count - at));
      if (at + 12 <= count) out.writeUInt32BE(at, at + 8);
    }
    return out;
  }
}

const TEXT_FORMS = [
  MARK.toString('latin1'),
  MARK.toString('hex'),
  MARK.toString('base64').slice(0, 10),
  [...MARK].join(','),
];

/** Whether a cell, a message or a line of the log holds the mark in any of the forms in which bytes are written down. */
export function holdsKeyMaterial(value: unknown): boolean {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(MARK);
  }
  return typeof value === 'string' && TEXT_FORMS.some((form) => value.includes(form));
}
