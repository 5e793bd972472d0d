// Looks for secrets where none belong: as raw bytes, hex, base64 and base64url, at every alignment of the surrounding bytes; and
// for anything that looks like a bearer token. Pure; many thousand secrets are looked for in one pass over each trace.

export interface Secret {
  /** What is shown when it is found; the secret itself never is. */
  readonly name: string;
  /** At least 16 bytes: shorter ones would be found by chance. */
  readonly bytes: Uint8Array;
}

/** Something that was left behind: a row, a message, a log line. */
export interface Trace {
  readonly where: string;
  readonly bytes: Buffer;
}

export interface Finding {
  readonly secret: string;
  readonly form: 'raw' | 'hex' | 'base64' | 'base64url' | 'token';
  readonly where: string;
}

interface Pattern {
  readonly secret: number;
  readonly form: Finding['form'];
  readonly bytes: Buffer;
}

const MIN_SECRET_BYTES = 16;
/** Patterns are told apart by their first bytes, and candidates for those by a hash of the first four. */
const PREFIX_BYTES = 12;
const FILTER_BITS = 22;
const TOKEN = /eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}/;

export class CanaryScan {
  readonly #secrets: readonly Secret[];
  readonly #filter = new Uint8Array(2 ** (FILTER_BITS - 3));
  readonly #byPrefix = new Map<string, Pattern[]>();

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets;
    for (const [index, { name, bytes }] of secrets.entries()) {
      if (bytes.length < MIN_SECRET_BYTES) throw new Error(`the secret ${name} is too short to be looked for`);
      for (const { form, bytes: pattern } of formsOf(bytes)) this.#add({ secret: index, form, bytes: pattern });
    }
  }

  /** Each secret and form once per trace. */
  findIn({ where, bytes }: Trace): Finding[] {
    const found = new Map<string, Finding>();
    const add = (secret: string, form: Finding['form']): void => {
      found.set(`${secret} ${form}`, { secret, form, where });
    };
    const last = bytes.length - PREFIX_BYTES;
    for (let at = 0; at <= last; at += 1) {
      const slot = slotOf(bytes, at);
      if (((this.#filter[slot >>> 3] ?? 0) & (1 << (slot & 7))) === 0) continue;
      const patterns = this.#byPrefix.get(bytes.toString('latin1', at, at + PREFIX_BYTES)) ?? [];
      for (const { secret, form, bytes: pattern } of patterns) {
        if (pattern.equals(bytes.subarray(at, at + pattern.length))) add(this.#secrets[secret]?.name ?? '', form);
      }
    }
    if (bytes.includes('eyJ') && TOKEN.test(bytes.toString('latin1'))) add('a bearer token', 'token');
    return [...found.values()];
  }

  #add(pattern: Pattern): void {
    const slot = slotOf(pattern.bytes, 0);
    this.#filter[slot >>> 3] = (this.#filter[slot >>> 3] ?? 0) | (1 << (slot & 7));
    const prefix = pattern.bytes.toString('latin1', 0, PREFIX_BYTES);
    const known = this.#byPrefix.get(prefix);
    if (known) known.push(pattern);
    else this.#byPrefix.set(prefix, [pattern]);
  }
}

/** The secret of a bearer token is its signature: what comes before it opens nothing. */
export function tokenSecret(name: string, token: string): Secret {
  return { name, bytes: Buffer.from(token.slice(token.lastIndexOf('.') + 1)) };
}

function slotOf(bytes: Buffer, at: number): number {
  const head =
    (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
  return Math.imul(head, 0x9e3779b1) >>> (32 - FILTER_BITS);
}

function formsOf(bytes: Uint8Array): { readonly form: Finding['form']; readonly bytes: Buffer }[] {
  const hex = Buffer.from(bytes).toString('hex');
  const forms: { form: Finding['form']; bytes: Buffer }[] = [
    { form: 'raw', bytes: Buffer.from(bytes) },
    { form: 'hex', bytes: Buffer.from(hex) },
    { form: 'hex', bytes: Buffer.from(hex.toUpperCase()) },
  ];
  for (const before of [0, 1, 2]) {
    const base64 = insideBase64(bytes, before);
    forms.push({ form: 'base64', bytes: Buffer.from(base64) });
    const base64url = base64.replaceAll('+', '-').replaceAll('/', '_');
    if (base64url !== base64) forms.push({ form: 'base64url', bytes: Buffer.from(base64url) });
  }
  return forms;
}

/** The characters that the bytes alone decide, when `before` other bytes (modulo 3) stand before them. */
function insideBase64(bytes: Uint8Array, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}
