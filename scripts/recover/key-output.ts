// Where recovered data keys go: a new file that only its owner can read, or stdout. Synchronous, so that no key waits in a buffer.
import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import type { OpenedKey } from './open-wrapped.ts';
import { RecoveryRefused } from './refused.ts';

const STDOUT = 1;
const OWNER_ONLY = 0o600;
const PAUSE_MS = 5;

export class KeyOutput {
  readonly #file: string | undefined;
  #fd: number | undefined;

  /** Throws RecoveryRefused if the file is there already. It is made for the first key, so that there is none without keys. */
  constructor(file: string | undefined) {
    if (file !== undefined && existsSync(file)) throw thereAlready(file);
    this.#file = file;
  }

  /** Throws RecoveryRefused. */
  write({ keyId, key }: OpenedKey): void {
    this.#fd ??= this.#file === undefined ? STDOUT : made(this.#file);
    const line = Buffer.from(`${JSON.stringify({ keyId, key: key.toString('base64url') })}\n`);
    key.fill(0);
    try {
      for (let at = 0; at < line.length;) at += writeSome(this.#fd, line.subarray(at));
    } catch {
      throw new RecoveryRefused('The data keys cannot be written any further; what is there already is not all.');
    } finally {
      line.fill(0);
    }
  }

  close(): void {
    if (this.#fd !== undefined && this.#fd !== STDOUT) closeSync(this.#fd);
  }
}

const thereAlready = (file: string): RecoveryRefused =>
  new RecoveryRefused(`There is a file already, and it is not written over: ${file}`);

function made(file: string): number {
  try {
    return openSync(file, 'wx', OWNER_ONLY);
  } catch (error) {
    throw codeOf(error) === 'EEXIST' ? thereAlready(file) : new RecoveryRefused(`The file cannot be made: ${file}`);
  }
}

/** A pipe whose reader is slow takes nothing for the moment. */
function writeSome(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    return 0;
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
