// The vendor's own vault fails like any other, and for the same reasons: only whose move it is differs. Pure.
import type { FailureWords } from './failure-entry.ts';

export function wordsOfOwnVault({ message, cause, remedy }: FailureWords): FailureWords {
  return {
    owner: 'vendor',
    message: `The vendor's own vault fails: ${message.charAt(0).toLowerCase()}${message.slice(1)}`,
    cause,
    remedy: { ...remedy, text: `Nothing is for the company to do: the vendor mends its own vault. ${remedy.text}` },
  };
}
