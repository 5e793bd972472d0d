// Multipart bodies (RFC 2046) and the HTTP answers inside those of a batch. Pure. Splits by delimiters only, so that the content of a part is never
// taken for structure.

export interface Part {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface HttpPart {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const EOL = '\r\n';

/** The parts of a body of this content type. Undefined if it is not multipart or was cut off. */
export function partsOf(contentType: string | undefined, body: string): readonly Part[] | undefined {
  const boundary = /^multipart\/mixed *; *boundary="?([\w'()+,./:=?-]{1,70})"? *$/i.exec(contentType ?? '')?.[1];
  if (boundary === undefined) return undefined;
  const [before, ...pieces] = `${EOL}${body}`.split(`${EOL}--${boundary}`);
  const end = pieces.pop();
  // Nothing precedes the first delimiter, and the last one closes the body. Without that one the body was cut off.
  if (before !== '' || end === undefined || !/^--\s*$/.test(end)) return undefined;
  const parts: Part[] = [];
  for (const piece of pieces) {
    const part = piece.startsWith(EOL) ? headersAndBody(piece.slice(EOL.length)) : undefined;
    if (!part) return undefined;
    parts.push(part);
  }
  return parts;
}

/** The HTTP answer in a part of type `application/http`. */
export function httpIn({ headers, body }: Part): HttpPart | undefined {
  if (!/^application\/http\b/i.test(headers.get('content-type') ?? '')) return undefined;
  const lineEnd = body.indexOf(EOL);
  const status = /^HTTP\/1\.1 (\d{3})(?: [^\r\n]*)?$/.exec(body.slice(0, Math.max(lineEnd, 0)))?.[1];
  if (status === undefined) return undefined;
  const message = headersAndBody(body.slice(lineEnd + EOL.length));
  return message && { status: Number(status), ...message };
}

function headersAndBody(text: string): Part | undefined {
  const end = text.startsWith(EOL) ? 0 : text.indexOf(`${EOL}${EOL}`);
  if (end < 0) return undefined;
  const headers = new Map<string, string>();
  for (const line of end === 0 ? [] : text.slice(0, end).split(EOL)) {
    const colon = line.indexOf(':');
    if (colon < 1) return undefined;
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, body: text.slice(end === 0 ? EOL.length : end + 2 * EOL.length) };
}
