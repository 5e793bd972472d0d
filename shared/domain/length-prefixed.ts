// One unambiguous encoding of a list of texts, for everything that is authenticated. Pure.

/** Each text as UTF-8 behind its length in bytes (4 bytes, big-endian): no two lists have the same encoding. */
export function lengthPrefixed(texts: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (const text of texts) {
    const bytes = Buffer.from(text, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}
