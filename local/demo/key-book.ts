// What the demo remembers of a company's data keys in order to prove things: the plaintext of each as it was first handed out.
// A real backend remembers none. One block of memory, whatever the number of keys.
import { timingSafeEqual } from 'node:crypto';

const KEY_BYTES = 32;

export class KeyBook {
  readonly companyId: string;
  readonly count: number;
  readonly #plaintexts: Buffer;
  readonly #digits: number;

  constructor(companyId: string, count: number) {
    this.companyId = companyId;
    this.count = count;
    this.#plaintexts = Buffer.alloc(count * KEY_BYTES);
    this.#digits = String(count).length;
  }

  keyId(index: number): string {
    return `${this.companyId}-${String(index + 1).padStart(this.#digits, '0')}`;
  }

  plaintext(index: number): Buffer {
    return this.#plaintexts.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES);
  }

  learn(index: number, plaintext: string): void {
    const bytes = Buffer.from(plaintext, 'base64url');
    if (bytes.length !== KEY_BYTES) throw new Error(`data key ${this.keyId(index)} has ${bytes.length} bytes`);
    bytes.copy(this.#plaintexts, index * KEY_BYTES);
  }

  isPlaintextOf(index: number, plaintext: string): boolean {
    const bytes = Buffer.from(plaintext, 'base64url');
    return bytes.length === KEY_BYTES && timingSafeEqual(bytes, this.plaintext(index));
  }
}
