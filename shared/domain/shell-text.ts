// Makes values from outside fit for a sentence or a command line. Pure.

// Control, bidirectional and zero-width characters: they could hide or reorder what a reader or a terminal sees.
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const MAX_SHOWN_CHARACTERS = 400;

/** `text` on one line, without invisible characters, cut to 400 characters. */
export function shown(text: string): string {
  const clean = text.toWellFormed().replace(UNSHOWABLE, ' ');
  return clean.length <= MAX_SHOWN_CHARACTERS ? clean : `${clean.slice(0, MAX_SHOWN_CHARACTERS - 1).toWellFormed()}…`;
}

/** One word of a POSIX shell command, whatever `text` holds. Plain names, paths and ids stay bare. */
export function posixQuoted(text: string): string {
  return /^[0-9A-Za-z._:/@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** One PowerShell string literal, which expands nothing. */
export function powerShellQuoted(text: string): string {
  // PowerShell also treats typographic single quotes as quotes.
  return `'${text.replace(/['\u2018\u2019\u201A\u201B]/g, '$&$&')}'`;
}
