// One unambiguous encoding of a list of texts, for everything that is authenticated. Pure.

const LENGTH_BYTES = 4;

/** Each text as UTF-8 behind its length in bytes (4 bytes, big-endian): no two lists have the same encoding. */
export function lengthPrefixed(texts: readonly string[]): Buffer {
  let size = 0;
  for (const text of texts) size += LENGTH_BYTES + Buffer.byteLength(text, 'utf8');
  // One allocation: this is on the path of every data key.
  const encoded = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of texts) {
    const written = encoded.write(text, at + LENGTH_BYTES, 'utf8');
    encoded.writeUInt32BE(written, at);
    at += LENGTH_BYTES + written;
  }
  return encoded;
}
