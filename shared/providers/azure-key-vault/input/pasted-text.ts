// What copying does to an address or a name: quotes, brackets and punctuation around it, and the ways in which HTML, JSON, URLs and
// terminals write its characters. Pure. Nothing of this is ever accepted: it names what is wrong, and finds what to suggest.
import { plainOf } from '../../../domain/plain-characters.ts';
import { isUnseen } from '../../../domain/visible-text.ts';

/** ASCII characters that stand around an address, and never in one that is taken. */
const STRAY = /["'`<>(){}|^,;]/;

/**
 * The first character that can be in no address or name of Azure: which, and where, counted from 1 in the text as it came.
 * Blanks around the text are forgiven.
 */
export function oddCharacter(text: string, isOdd: (character: string) => boolean): string | undefined {
  const lead = Array.from(text).length - Array.from(text.trimStart()).length;
  for (const [at, character] of Array.from(text.trim()).entries()) {
    if (isOdd(character)) return `${nameOf(character)} at position ${lead + at + 1}`;
  }
  return undefined;
}

/** Outside printable ASCII, or a blank, or what only stands around an address. */
export const isOddInAddress = (character: string): boolean =>
  !/^[\x21-\x7e]$/.test(character) || character === '\\' || STRAY.test(character);

function nameOf(character: string): string {
  if (character === ' ') return 'a blank';
  if (character === '\\') return 'a backslash';
  if (character === '/') return 'a slash';
  if (/^[\x21-\x7e]$/.test(character)) return `the character ${character}`;
  const codePoint = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const plain = plainOf(character);
  if (isUnseen(character)) return `${codePoint}, which cannot be seen,`;
  if (plain === ' ' || character === '\u2800') return `${codePoint}, which only looks like a blank,`;
  return /^[\x21-\x7e]$/.test(plain) ? `${codePoint}, which only looks like ${plain},` : codePoint;
}

/** Of HTML that was copied as it is written. */
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
  ['lt', '<'],
  ['gt', '>'],
  ['nbsp', ' '],
  ['shy', ''],
  ['hyphen', '-'],
  ['sol', '/'],
  ['colon', ':'],
  ['period', '.'],
]);
/** Colours of a terminal. */
const COLOURS = /\u001b\[[0-9;]*m/g;
const MAX_ENCODINGS = 3;

/** As it was meant to be read: without the ways in which HTML, JSON and terminals write characters. */
export const unescaped = (text: string): string =>
  text
    .replace(COLOURS, '')
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (entity, decimal, hex, name) => {
      if (typeof name === 'string') return ENTITIES.get(name.toLowerCase()) ?? entity;
      const code = typeof hex === 'string' ? parseInt(hex, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
    });

/** Without percent-encoding, also of what was encoded already; what is no encoding stays. */
export function decoded(text: string): string {
  let plain = text;
  for (let times = 0; times < MAX_ENCODINGS; times += 1) {
    plain = plain.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
      try {
        return decodeURIComponent(run);
      } catch {
        return run;
      }
    });
  }
  return plain;
}

/** On one line: a mail breaks what is long at its dashes, dots and slashes; any other line is another value. */
export const onOneLine = (text: string): string =>
  text
    .replace(/(?<=[-/.:])[\r\n]+\s*|[\r\n]+\s*(?=[-/.:])/g, '')
    .replace(/[\r\n]+\s*/g, ' ')
    .trim();

/** What an address, an id or a name may begin or end with. */
const INNER = /[\p{L}\p{N}/%_-]/u;

/** The text without the quotes, brackets and marks around it and the punctuation that follows it. */
export function withoutSurroundings(text: string): string {
  const characters = Array.from(text);
  const first = characters.findIndex((character) => INNER.test(character));
  const last = characters.findLastIndex((character) => INNER.test(character));
  const inner = first < 0 ? '' : characters.slice(first, last + 1).join('');
  return /^_+(?!_).*[^_](?=_+$)/s.test(inner) ? inner.replace(/^_+|_+$/g, '') : inner;
}
