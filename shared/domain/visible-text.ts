// What texts may hold that people read and the store keeps: names of a company, a person, the vendor. Pure. Invisible characters could pass one name
// off as another, and lone surrogates and line separators differ between parsers.

/**
 * Controls, line and paragraph separators, lone surrogates, noncharacters, private use, interlinear annotations, and what Unicode
 * says is not displayed: bidirectional controls, zero-width spaces, fillers, tags. Not in it: joiners and variation selectors, which
 * names in Persian or Hindi and emoji need.
 */
const UNSEEN =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}\ufff9-\ufffb]|(?![\u200c\u200d\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}/u;
const UNSEEN_EVERYWHERE = new RegExp(UNSEEN.source, 'gu');
/** U+2800 is a pattern of no dots. */
const SEEN = /(?!\u2800)[\p{L}\p{N}\p{P}\p{S}]/u;

/** What is wrong with it, to follow its name in a sentence: which character and where, never the text. Undefined if nothing is. */
export function visibleTextFault(text: string): string | undefined {
  const unseen = UNSEEN.exec(text);
  if (unseen) {
    const codePoint = (unseen[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return `must hold no character that cannot be seen: U+${codePoint} at offset ${unseen.index}`;
  }
  return SEEN.test(text) ? undefined : 'must hold a character that can be seen';
}

/** Whether a character is invisible where plain ASCII is asked for: there joiners and variation selectors are not needed either. */
export const isUnseen = (character: string): boolean =>
  UNSEEN.test(character) || /^\p{Default_Ignorable_Code_Point}$/u.test(character);

/** The text with U+FFFD for each invisible character; line breaks and tabs stay. */
export const withoutUnseen = (text: string): string =>
  text.replace(UNSEEN_EVERYWHERE, (character) => (/[\t\n\r]/.test(character) ? character : '\ufffd'));
