// A request's headers as Kestrel reads them: values in UTF-8, lines of one name joined by a comma. Pure.

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** Names in lower case. Undefined where Kestrel answers 400 by itself: a value that is not UTF-8, or two Host lines. */
export function decodeHeaders(rawHeaders: readonly string[]): Readonly<Record<string, string>> | undefined {
  const headers = new Map<string, string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = decode(rawHeaders[index + 1] ?? '');
    const before = headers.get(name);
    if (value === undefined || (name === 'host' && before !== undefined)) return undefined;
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(headers);
}

/** Node gives each byte as one character. */
function decode(latin1: string): string | undefined {
  if (isAscii(latin1)) return latin1;
  try {
    return UTF_8.decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return undefined;
  }
}

export const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);
