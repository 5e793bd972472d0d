// Replaces characters that only look like ASCII and drops invisible ones: Teams, Word and PDF put them into copied text. Pure.
import { isUnseen } from './visible-text.ts';

/**
 * Characters that stand for an ASCII one and that Unicode's compatibility forms (NFKC) do not map: dashes, slashes, dots, and the Cyrillic and
 * Greek letters of Unicode's list of confusables
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
      ['r', '\u0433\u1d26'],
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
      ['G', '\u050c'],
      ['H', '\u041d\u0397'],
      ['I', '\u0406\u0399\u04c0'],
      ['J', '\u0408'],
      ['K', '\u041a\u039a'],
      ['M', '\u041c\u039c'],
      ['N', '\u039d'],
      ['O', '\u041e\u039f'],
      ['P', '\u0420\u03a1'],
      ['Q', '\u051a'],
      ['S', '\u0405'],
      ['T', '\u0422\u03a4'],
      ['V', '\u0474'],
      ['W', '\u051c'],
      ['X', '\u0425\u03a7'],
      ['Y', '\u04ae\u03a5'],
      ['Z', '\u0396'],
      ['3', '\u0417\u0437'],
      ['6', '\u0431'],
    ] as const
  ).flatMap(([plain, like]) => Array.from(like, (character): [string, string] => [character, plain])),
);

/** The ASCII character that was probably meant; the character itself if none is known. */
export function plainOf(character: string): string {
  const like = LOOK_ALIKES.get(character);
  if (like !== undefined) return like;
  return Array.from(character.normalize('NFKC'), (part) => LOOK_ALIKES.get(part) ?? part).join('');
}

/** The text in ASCII look-alikes, without invisible characters; blanks and line breaks stay. */
export const inPlainCharacters = (text: string): string =>
  Array.from(text, (character) => {
    if (/[\t\n\r ]/.test(character)) return character;
    return isUnseen(character) ? '' : plainOf(character);
  }).join('');
