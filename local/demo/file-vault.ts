// The vendor's product in small: files kept only encrypted, each segment under a data key of its own (AES-256-GCM). The segments
// are cut so small that every data key is in use. Holds one block of one file in memory, and no key longer than it needs it.
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { FoundFile } from './files.ts';
import { describe } from './words.ts';
import { contextOf, OVERHEAD_BYTES, seal, unseal } from './segment-cipher.ts';

interface StoredFile {
  readonly path: string;
  readonly copy: string;
  readonly sizeBytes: number;
  /** Of the bytes that were read when it was encrypted. */
  readonly sha256: Buffer;
  readonly firstSegment: number;
  readonly segments: number;
}

export interface OpenReport {
  readonly files: number;
  readonly bytes: number;
  /** What did not open, or is not what was encrypted. */
  readonly wrong: readonly string[];
}

/** The plaintext of the data key with this index; the caller overwrites nothing. */
export type KeyOf = (index: number) => Buffer | Promise<Buffer>;

const MIN_SEGMENT_BYTES = 16;
const BLOCK_BYTES = 65_536;

export class FileVault {
  readonly segmentBytes: number;
  readonly #folder: string;
  readonly #copies: string;
  readonly #keyCount: number;
  readonly #stored: StoredFile[] = [];
  #segments = 0;

  constructor(options: {
    readonly folder: string;
    /** An empty folder of our own. */
    readonly copies: string;
    readonly files: readonly FoundFile[];
    readonly keyCount: number;
  }) {
    const total = options.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.segmentBytes = Math.min(BLOCK_BYTES, Math.max(MIN_SEGMENT_BYTES, Math.floor(total / options.keyCount)));
    this.#folder = options.folder;
    this.#copies = options.copies;
    this.#keyCount = options.keyCount;
  }

  get segments(): number {
    return this.#segments;
  }

  get keysInUse(): number {
    return Math.min(this.#segments, this.#keyCount);
  }

  get copies(): readonly string[] {
    return this.#stored.map(({ copy }) => copy);
  }

  async encrypt(
    files: readonly FoundFile[],
    keyOf: KeyOf,
  ): Promise<{ readonly files: number; readonly bytes: number }> {
    let bytes = 0;
    for (const { path } of files) {
      const source = await openIfThere(join(this.#folder, path));
      // Gone since it was listed.
      if (!source) continue;
      try {
        bytes += await this.#encryptOne(source, path, keyOf);
      } finally {
        await source.close();
      }
    }
    return { files: this.#stored.length, bytes };
  }

  /** Opens every copy, and compares it with what was encrypted. */
  async open(keyOf: KeyOf): Promise<OpenReport> {
    const wrong: string[] = [];
    let bytes = 0;
    for (const file of this.#stored) {
      const problem = await this.#openOne(file, keyOf);
      if (problem === undefined) bytes += file.sizeBytes;
      else wrong.push(`${file.path}: ${problem}`);
    }
    return { files: this.#stored.length, bytes, wrong };
  }

  async #encryptOne(source: FileHandle, path: string, keyOf: KeyOf): Promise<number> {
    const copy = join(this.#copies, `${this.#stored.length}.encrypted`);
    const firstSegment = this.#segments;
    const digest = createHash('sha256');
    const target = await open(copy, 'wx', 0o600);
    let sizeBytes = 0;
    try {
      for await (const block of blocksOf(source, this.#segmentsPerBlock * this.segmentBytes)) {
        digest.update(block);
        sizeBytes += block.length;
        const sealed: Buffer[] = [];
        for (let at = 0; at < block.length; at += this.segmentBytes) {
          const segment = block.subarray(at, at + this.segmentBytes);
          const key = await keyOf(this.#segments % this.#keyCount);
          sealed.push(seal(key, { segment, context: contextOf(path, this.#segments - firstSegment) }));
          this.#segments += 1;
        }
        await target.writeFile(Buffer.concat(sealed));
      }
    } finally {
      await target.close();
    }
    const segments = this.#segments - firstSegment;
    this.#stored.push({ path, copy, sizeBytes, sha256: digest.digest(), firstSegment, segments });
    return sizeBytes;
  }

  async #openOne(file: StoredFile, keyOf: KeyOf): Promise<string | undefined> {
    const sealedBytes = this.segmentBytes + OVERHEAD_BYTES;
    const digest = createHash('sha256');
    let number = 0;
    const source = await open(file.copy);
    try {
      for await (const block of blocksOf(source, this.#segmentsPerBlock * sealedBytes)) {
        for (let at = 0; at < block.length; at += sealedBytes) {
          const key = await keyOf((file.firstSegment + number) % this.#keyCount);
          const segment = unseal(key, {
            sealed: block.subarray(at, at + sealedBytes),
            context: contextOf(file.path, number),
          });
          if (!segment) return `segment ${number} does not open`;
          digest.update(segment);
          number += 1;
        }
      }
    } catch (error) {
      return describe(error);
    } finally {
      await source.close();
    }
    if (number !== file.segments) return `has ${number} segments of ${file.segments}`;
    return digest.digest().equals(file.sha256) ? undefined : 'is not what was encrypted';
  }

  get #segmentsPerBlock(): number {
    return Math.max(1, Math.floor(BLOCK_BYTES / this.segmentBytes));
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Full blocks, and the rest. Each is overwritten by the next. */
async function* blocksOf(file: FileHandle, blockBytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.alloc(blockBytes);
  for (;;) {
    let filled = 0;
    while (filled < blockBytes) {
      const { bytesRead } = await file.read(buffer, filled, blockBytes - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (filled > 0) yield buffer.subarray(0, filled);
    if (filled < blockBytes) return;
  }
}
