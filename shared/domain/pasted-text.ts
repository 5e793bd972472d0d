// What copying does to an address or a name: quotes and brackets around it, characters that cannot be seen or only look like
// ASCII ones. Pure. Nothing of this is ever accepted: it names what is wrong, and finds what to suggest.
import { isUnseen } from './visible-text.ts';

/** Pairs that texts, programs and mail put around an address. */
const AROUND = new Set([
  '""',
  "''",
  '``',
  '“”',
  '„“',
  '‘’',
  '‚‘',
  '«»',
  '»«',
  '‹›',
  '<>',
  '()',
  '[]',
  '{}',
  '「」',
  '『』',
  '《》',
  '【】',
  '〈〉',
  '〔〕',
  '⟨⟩',
]);
const STRAY = /["'`<>(){}|^,;“”„‘’‚‛«»‹›「」『』《》【】〈〉〔〕⟨⟩]/;
const MAX_PAIRS = 4;

/**
 * Characters outside ASCII in whose place an ASCII one was meant, where Unicode's compatibility forms (NFKC) do not say so
 * themselves: dashes, slashes, dots, and the Cyrillic and Greek letters of Unicode's list of confusables
 * (https://www.unicode.org/Public/security/latest/confusables.txt).
 */
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  (
    [
      ['-', '\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u02d7\u06d4\u2796\u30fc\u2500\u1806'],
      ['/', '\u2044\u2215\u29f8\u2571\u3033\u30ce'],
      ['.', '\u3002\u00b7\u2027\u06d4\u0701\u0702\ua4f8\uff61'],
      [':', '\u2236\ua789\u0589\u05c3\ua4fd\u02d0'],
      ['a', '\u0430\u0251\u03b1'],
      ['b', '\u0184\u042c'],
      ['c', '\u0441\u03f2\u1d04'],
      ['d', '\u0501\u13e7'],
      ['e', '\u0435\u0454\u212e'],
      ['g', '\u0261\u0581'],
      ['h', '\u04bb\u0570'],
      ['i', '\u0456\u0131\u03b9\u0269'],
      ['j', '\u0458\u03f3'],
      ['k', '\u043a\u03ba\u049b'],
      ['l', '\u04cf\u01c0'],
      ['m', '\u043c'],
      ['n', '\u0578'],
      ['o', '\u043e\u03bf\u0585\u03c3\u1d0f'],
      ['p', '\u0440\u03c1'],
      ['q', '\u051b'],
      ['s', '\u0455\ua731'],
      ['t', '\u0442\u03c4'],
      ['u', '\u057d\u03c5\u1d1c'],
      ['v', '\u03bd\u0475\u1d20'],
      ['w', '\u051d\u0461\u1d21'],
      ['x', '\u0445\u03c7'],
      ['y', '\u0443\u03b3\u04af'],
      ['z', '\u1d22'],
      ['A', '\u0410\u0391'],
      ['B', '\u0412\u0392'],
      ['C', '\u0421\u03f9'],
      ['E', '\u0415\u0395'],
      ['H', '\u041d\u0397'],
      ['I', '\u0406\u0399\u04c0'],
      ['J', '\u0408'],
      ['K', '\u041a\u039a'],
      ['M', '\u041c\u039c'],
      ['N', '\u039d'],
      ['O', '\u041e\u039f'],
      ['P', '\u0420\u03a1'],
      ['S', '\u0405'],
      ['T', '\u0422\u03a4'],
      ['V', '\u0474'],
      ['X', '\u0425\u03a7'],
      ['Y', '\u04ae\u03a5'],
      ['Z', '\u0396'],
    ] as const
  ).flatMap(([plain, like]) => Array.from(like, (character): [string, string] => [character, plain])),
);

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
  if (/^[\x21-\x7e]$/.test(character)) return `the character ${character}`;
  const codePoint = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const plain = plainOf(character);
  if (isUnseen(character)) return `${codePoint}, which cannot be seen,`;
  if (plain === ' ') return `${codePoint}, which only looks like a blank,`;
  return /^[\x21-\x7e]$/.test(plain) ? `${codePoint}, which only looks like ${plain},` : codePoint;
}

function plainOf(character: string): string {
  return LOOK_ALIKES.get(character) ?? character.normalize('NFKC');
}

/** The text in plain characters, without what cannot be seen; blanks and line breaks stay. */
export const inPlainCharacters = (text: string): string =>
  Array.from(text, (character) => {
    if (/[\t\n\r ]/.test(character)) return character;
    return isUnseen(character) ? '' : plainOf(character);
  }).join('');

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

export const withoutEntities = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (entity, decimal, hex, name) => {
    if (typeof name === 'string') return ENTITIES.get(name.toLowerCase()) ?? entity;
    const code = typeof hex === 'string' ? parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });

/** The text without the pairs around it and the punctuation that follows it. */
export function withoutSurroundings(text: string): string {
  let inner = text.trim();
  for (let pairs = 0; pairs < MAX_PAIRS; pairs += 1) {
    inner = inner.replace(/[,;.!…\s]+$/u, '');
    const characters = Array.from(inner);
    if (characters.length < 2 || !AROUND.has(`${characters[0]}${characters.at(-1)}`)) break;
    inner = characters.slice(1, -1).join('').trim();
  }
  return inner.replace(new RegExp(`^(?:${STRAY.source})+|(?:${STRAY.source})+$`, 'g'), '').trim();
}
