// Finds a member that an object of a JSON text has twice. Pure. JSON.parse keeps the last one silently; a proxy or a log may have read the first
// (RFC 8259, 4: names should be unique).

interface Open {
  /** Of an object; undefined for an array. */
  readonly names: Set<string> | undefined;
  /** The member or index that is being read. */
  at: string;
}

/** Where the first such member is, `keys.0.keyId`; undefined if there is none. `text` must be JSON. */
export function repeatedMember(text: string): string | undefined {
  const open: Open[] = [];
  let expectsName = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    const inner = open.at(-1);
    if (character === '"') {
      const end = endOfString(text, index);
      if (expectsName && inner?.names) {
        // Compared as what it means: a name may be written with escapes.
        inner.at = JSON.parse(text.slice(index, end + 1)) as string;
        if (inner.names.has(inner.at)) return open.map(({ at }) => at).join('.');
        inner.names.add(inner.at);
        expectsName = false;
      }
      index = end;
    } else if (character === '{' || character === '[') {
      expectsName = character === '{';
      open.push(expectsName ? { names: new Set(), at: '' } : { names: undefined, at: '0' });
    } else if (character === '}' || character === ']') {
      open.pop();
      expectsName = false;
    } else if (character === ',' && inner) {
      expectsName = inner.names !== undefined;
      if (!inner.names) inner.at = String(Number(inner.at) + 1);
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index;
}
