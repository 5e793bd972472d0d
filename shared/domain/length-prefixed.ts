// One unambiguous encoding of a list of texts, for everything that is authenticated. Pure.

const LENGTH_BYTES = 4;

const LENGTH_BYTES = 4;

/** Each text as UTF-8 behind its length in bytes (big-endian): no two lists have the same encoding. */
export function lengthPrefixed(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text, 'utf8'));
  // One piece of memory: this is made twice for every data key that is moved.
  const bytes = Buffer.alloc(lengths.reduce((sum, length) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    at = bytes.writeUInt32BE(lengths[index] ?? 0, at);
    at += bytes.write(text, at, 'utf8');
  }
  return bytes;
}
