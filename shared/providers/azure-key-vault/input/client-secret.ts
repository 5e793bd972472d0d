// A client secret as people paste it. Pure. What is wrong is named by its form, with the place of a character that can be in no secret; nothing of the
// secret itself is ever repeated.
import { failure } from '../words/failures.ts';
import type { Failure } from '../../../domain/failure.ts';
import { GUID_IN_ANY_CASE } from '../../../domain/ids.ts';
import { inPlainCharacters } from '../../../domain/plain-characters.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { SECRET_MAX_BYTES } from '../../../domain/sealed-secret.ts';
import { oddCharacter, withoutSurroundings } from './pasted-text.ts';

/** As Entra has made them since 2021. Older ones are taken too. */
export const CLIENT_SECRET = /^[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{34}$/;
/** Entra makes secrets of 34 to 44 characters. One that was chosen by hand long ago may be shorter. */
const MIN_CHARACTERS = 16;
const QUOTES = /^["'`\u2018\u2019\u201a-\u201f\u00ab\u00bb\u2039\u203a\u2032\u2033]$/;
/** `"password": "…"` of az, `AZURE_CLIENT_SECRET=…` of a shell, `Value: …` of a mail. */
const LABELLED = /^["']?[a-z][a-z _-]{2,40}["']?\s*(?:=|:\s)/i;

/** The value without blanks around it. */
export function parseClientSecret(text: string): Result<string, Failure> {
  const value = text.trim();
  const detail = whatIsWrong(value, text);
  return detail === undefined ? ok(value) : err(failure('client-secret-invalid', { detail }));
}

function whatIsWrong(value: string, text: string): string | undefined {
  if (value === '') return 'it is empty';
  if (/^[•*●·]+$/.test(value))
    return 'it is a row of dots, as the portal shows in place of a secret that it no longer tells';
  const bare = withoutSurroundings(inPlainCharacters(value));
  if (GUID_IN_ANY_CASE.test(bare)) return 'it is a GUID, as the Secret ID is; the Value is asked for';
  if (/^[[{]/.test(value)) return 'it is JSON, of which only the password is asked for';
  if (/^https?:\/\//i.test(value)) return 'it is an address';
  const odd = oddCharacter(text, (character) => !/^[\x21-\x7e]$/.test(character));
  const characters = Array.from(value);
  const quote = [characters[0], characters.at(-1)].find((one) => one !== undefined && QUOTES.test(one));
  if (quote !== undefined)
    return `there is a quotation mark around it (${/^[\x21-\x7e]$/.test(quote) ? quote : codePointOf(quote)})`;
  if (LABELLED.test(value)) return 'it begins with the name of a setting';
  if (odd !== undefined) return `it holds ${odd}`;
  if (characters.length < MIN_CHARACTERS) return `it is shorter than ${MIN_CHARACTERS} characters`;
  return Buffer.byteLength(value, 'utf8') > SECRET_MAX_BYTES
    ? `it is longer than ${SECRET_MAX_BYTES} characters`
    : undefined;
}

const codePointOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
