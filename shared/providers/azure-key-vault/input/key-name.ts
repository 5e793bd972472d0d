// The name of a key, as it is typed. Pure.
import { failure } from '../words/failures.ts';
import type { Failure } from '../../../domain/failure.ts';
import { decoded, isOddInAddress, oddCharacter, onOneLine, unescaped, withoutSurroundings } from './pasted-text.ts';
import { inPlainCharacters } from '../../../domain/plain-characters.ts';
import { err, ok, type Result } from '../../../domain/result.ts';

const MAX_CHARACTERS = 127;
const MAX_TEXT_CHARACTERS = 2_048;
export const KEY_NAME = /^[0-9A-Za-z-]{1,127}$/;
/** Up to what can follow it in a text that holds the address; not where the name goes on with what no name has. */
const IN_KEY_PATH = /(?:^|\/)(?:deleted)?keys\/+([0-9A-Za-z-]{1,127})(?![\p{L}\p{N}_.~%-]|\s+[\p{L}\p{N}])/iu;
/** The other objects of a vault, whose names are no keys. */
const OTHER_OBJECTS = /(?:^|\/)(?:secrets|certificates)\//i;
const ADDRESS = /https?:|\.(?:vault|vaultcore|managedhsm)\.[a-z]/i;
const WITH_VERSION = /^([0-9A-Za-z-]{1,127})(?:\/+[0-9A-Za-z]{0,64}\/*|[:@\s]+[0-9a-f]{32})$/;
/** A mark of a list, and the label of a setting or of JSON. */
const BEFORE_NAME = /^(?:[-*•]\s+)?(?:["']?(?:key[ _-]?)?(?:name|key)["']?\s*[:=]\s*)?/i;
/** A link in Markdown, whose text is the name. */
const LINKED = /^\[?([0-9A-Za-z-]{1,127})\]\(/;

export const isKeyName = (text: string): boolean => KEY_NAME.test(text);

/** The name without surrounding blanks, its case kept. */
export function parseKeyName(text: string): Result<string, Failure> {
  const name = text.trim();
  if (isKeyName(name)) return ok(name);
  const meant = meantKeyName(text);
  const facts = { detail: whatIsWrong(text), ...(meant === undefined ? {} : { suggestedKeyName: meant }) };
  return err(failure('key-name-invalid', facts));
}

function meantKeyName(text: string): string | undefined {
  if (text.length > MAX_TEXT_CHARACTERS) return undefined;
  const plain = withoutSurroundings(onOneLine(inPlainCharacters(decoded(unescaped(text)))))
    .replace(/\\[rnt]$/, '')
    .replaceAll('\\', '/');
  if (OTHER_OBJECTS.test(plain)) return undefined;
  const alone = withoutSurroundings(plain.replace(BEFORE_NAME, ''));
  const found =
    IN_KEY_PATH.exec(plain)?.[1] ??
    WITH_VERSION.exec(alone)?.[1] ??
    LINKED.exec(plain)?.[1] ??
    alone.replace(/\?.*$/, '');
  return isKeyName(found) ? found : undefined;
}

/** What it is in place of a name, and the first character that is wrong even so, with its place. */
function whatIsWrong(text: string): string {
  const name = text.trim();
  if (name === '') return 'it is empty';
  const kind = kindOf(decoded(inPlainCharacters(name)), text);
  if (kind !== undefined) {
    const odd = oddCharacter(text, isOddInAddress);
    return odd === undefined ? kind : `${kind}; besides, it holds ${odd}`;
  }
  const odd = oddCharacter(text, (character) => !isKeyName(character));
  if (odd === undefined) return `it is longer than ${MAX_CHARACTERS} characters`;
  return `it holds ${odd}; a name is letters, digits and dashes`;
}

function kindOf(plain: string, text: string): string | undefined {
  if (OTHER_OBJECTS.test(plain)) return 'it names a secret or a certificate, and a key is asked for';
  if (ADDRESS.test(plain)) return 'it is an address, and only the name is asked for';
  if (!plain.includes('/')) return undefined;
  const slash = oddCharacter(text, (character) => character === '/') ?? 'a slash';
  return `it holds ${slash}; enter the name without a version`;
}
