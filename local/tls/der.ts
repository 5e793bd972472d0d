// The few ASN.1 DER forms an X.509 certificate is made of (X.690, short and long lengths, low tags). Encodes only.

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

export const sequence = (...items: readonly Buffer[]): Buffer => der(0x30, ...items);
export const set = (...items: readonly Buffer[]): Buffer => der(0x31, ...items);
export const octets = (content: Buffer): Buffer => der(0x04, content);
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text, 'utf8'));
export const truth = (): Buffer => der(0x01, Buffer.from([0xff]));

/** A non-negative INTEGER; a leading zero keeps a high first bit from reading as a sign. */
export function integer(magnitude: Buffer): Buffer {
  const start = magnitude.findIndex((byte) => byte !== 0);
  const trimmed = start < 0 ? Buffer.from([0]) : magnitude.subarray(start);
  const high = (trimmed[0] ?? 0) >= 0x80;
  return der(0x02, high ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed);
}

/** A BIT STRING of which the last `unusedBits` bits do not count. */
export const bits = (content: Buffer, unusedBits = 0): Buffer => der(0x03, Buffer.from([unusedBits]), content);

/** Context-specific `[n]` around whole elements (EXPLICIT). */
export const explicit = (n: number, content: Buffer): Buffer => der(0xa0 | n, content);
/** Context-specific `[n]` in place of a primitive's own tag (IMPLICIT). */
export const implicit = (n: number, content: Buffer): Buffer => der(0x80 | n, content);

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Two-digit years end in 2049 (RFC 5280 4.1.2.5); no certificate of ours lives that long. */
export function utcTime(at: Date): Buffer {
  const digits = at
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/\D/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2)}Z`, 'ascii'));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  if (length < 0x100) return Buffer.from([0x81, length]);
  return Buffer.from([0x82, length >> 8, length & 0xff]);
}
