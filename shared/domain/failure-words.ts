// Builds the sentences of failures and names things by the facts that are known. Pure.
import type { FailureFacts, Remedy } from './failure.ts';
import { present } from './plain-object.ts';

/** Leaves out a command that could not be filled in. */
export const remedyOf = (
  parts: { readonly [Part in keyof Remedy]: Remedy[Part] | undefined } & Pick<Remedy, 'text'>,
): Remedy => ({ text: parts.text, ...present(parts) });

export const theVault = (facts: FailureFacts): string =>
  facts.vaultHost === undefined ? 'the vault' : `the vault ${facts.vaultHost}`;

export const theKey = (facts: FailureFacts): string =>
  facts.keyName === undefined ? 'the key' : `the key ${facts.keyName}`;

/** `: detail`, to end a sentence, or nothing. */
export const because = (facts: FailureFacts): string => (facts.detail === undefined ? '' : `: ${facts.detail}`);

/** For the beginning of a sentence. */
export const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** For the middle of a sentence. */
export const lower = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);

/** A command below a comment that says who needs it; nothing if the command is unknown. */
export const explained = (comment: string, command: string | undefined): (string | undefined)[] =>
  command === undefined ? [] : [comment, command];

/** The known commands, one a line; undefined if there is none. */
export function commandLines(...commands: readonly (string | undefined)[]): string | undefined {
  const known = commands.filter((command) => command !== undefined);
  return known.length === 0 ? undefined : known.join('\n');
}
