// Putting the words of a failure together, and naming things by what is known of them. Pure.
import type { FailureFacts, Remedy } from './failure.ts';
import { present } from './plain-object.ts';

/** Leaves out the command that could not be filled in. */
export const remedyOf = (
  parts: { readonly [Part in keyof Remedy]: Remedy[Part] | undefined } & Pick<Remedy, 'text'>,
): Remedy => ({ text: parts.text, ...present(parts) });

export const theVault = (facts: FailureFacts): string =>
  facts.vaultHost === undefined ? 'the vault' : `the vault ${facts.vaultHost}`;

export const theKey = (facts: FailureFacts): string =>
  facts.keyName === undefined ? 'the key' : `the key ${facts.keyName}`;

/** `detail`, when there is one, as the end of a sentence. */
export const because = (facts: FailureFacts): string => (facts.detail === undefined ? '' : `: ${facts.detail}`);

/** For the beginning of a sentence. */
export const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** For the middle of one. */
export const lower = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);

/** A command under a comment, where not every command of a remedy is for everybody; nothing without the command. */
export const explained = (comment: string, command: string | undefined): (string | undefined)[] =>
  command === undefined ? [] : [comment, command];

/** The commands that are known, one a line; undefined if none is. */
export function commandLines(...commands: readonly (string | undefined)[]): string | undefined {
  const known = commands.filter((command) => command !== undefined);
  return known.length === 0 ? undefined : known.join('\n');
}
