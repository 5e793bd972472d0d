// Values of the stand-ins as JSON, with what JSON does not know: maps, sets, keys, bytes, times, infinity.
import { createPrivateKey, createPublicKey, KeyObject } from 'node:crypto';

/** Marks a value that JSON does not know; no name in our state begins so. */
const MARK = '$is';

interface Marked {
  readonly [MARK]: 'map' | 'set' | 'private-key' | 'public-key' | 'bytes' | 'time' | 'infinity';
  readonly of?: unknown;
}

/** Writing out a key takes far longer than all the rest. */
const pems = new WeakMap<KeyObject, string>();

export function asText(value: unknown): string {
  return JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, name, given: unknown) {
    // `given` is what is left of bytes and times after their own toJSON.
    return marked(this[name]) ?? given;
  });
}

export function fromText(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown) => (isMarked(value) ? unmarked(value) : value));
}

function marked(value: unknown): Marked | undefined {
  if (value instanceof Map) return { [MARK]: 'map', of: [...value] };
  if (value instanceof Set) return { [MARK]: 'set', of: [...value] };
  if (value instanceof KeyObject)
    return { [MARK]: value.type === 'private' ? 'private-key' : 'public-key', of: pemOf(value) };
  if (value instanceof Uint8Array) return { [MARK]: 'bytes', of: Buffer.from(value).toString('base64') };
  if (value instanceof Date) return { [MARK]: 'time', of: value.toISOString() };
  return value === Infinity ? { [MARK]: 'infinity' } : undefined;
}

function pemOf(key: KeyObject): string {
  const known = pems.get(key);
  if (known !== undefined) return known;
  const type = key.type === 'private' ? 'pkcs8' : 'spki';
  const pem = key.export({ type, format: 'pem' } as { type: 'pkcs8'; format: 'pem' }).toString();
  pems.set(key, pem);
  return pem;
}

const isMarked = (value: unknown): value is Marked => typeof value === 'object' && value !== null && MARK in value;

function unmarked({ [MARK]: kind, of }: Marked): unknown {
  switch (kind) {
    case 'map':
      return new Map(of as [unknown, unknown][]);
    case 'set':
      return new Set(of as unknown[]);
    case 'private-key':
      return createPrivateKey(String(of));
    case 'public-key':
      return createPublicKey(String(of));
    case 'bytes':
      return Buffer.from(String(of), 'base64');
    case 'time':
      return new Date(String(of));
    case 'infinity':
      return Infinity;
  }
}
