// One unambiguous encoding of a list of texts, for all data that is authenticated. Pure.

const LENGTH_BYTES = 4;

/** Each text as UTF-8 behind its length in bytes (4 bytes, big-endian): no two lists have the same encoding. */
export function lengthPrefixed(texts: readonly string[]): Buffer {
  const encoded = Buffer.allocUnsafe(sizeOf(texts));
  encode(texts, encoded);
  return encoded;
}

/**
 * The same, written into `space` if it fits: on the path of every data key, reused memory is several times cheaper. Valid until `space` is
 * written to again.
 */
export function lengthPrefixedWithin(space: Buffer, texts: readonly string[]): Buffer {
  const size = sizeOf(texts);
  if (size > space.length) return lengthPrefixed(texts);
  encode(texts, space);
  return space.subarray(0, size);
}

function sizeOf(texts: readonly string[]): number {
  let size = 0;
  for (const text of texts) size += LENGTH_BYTES + Buffer.byteLength(text, 'utf8');
  return size;
}

function encode(texts: readonly string[], encoded: Buffer): void {
  let at = 0;
  for (const text of texts) {
    const written = encoded.write(text, at + LENGTH_BYTES, 'utf8');
    encoded.writeUInt32BE(written, at);
    at += LENGTH_BYTES + written;
  }
}
