// The name of a key, as it is typed. Pure.
import { failure } from './failure-catalogue.ts';
import type { Failure } from './failure.ts';
import { err, ok, type Result } from './result.ts';

const KEY_NAME = /^[0-9A-Za-z-]{1,127}$/;
const IN_KEY_URL = /^https?:\/\/[^/]+\/keys\/([0-9A-Za-z-]{1,127})(?:[/?#]|$)/i;

export const isKeyName = (text: string): boolean => KEY_NAME.test(text);

/** The name without surrounding blanks, its case kept. */
export function parseKeyName(text: string): Result<string, Failure> {
  const name = text.trim();
  if (isKeyName(name)) return ok(name);
  const inUrl = IN_KEY_URL.exec(name)?.[1];
  const facts = { detail: whatIsWrong(name), ...(inUrl === undefined ? {} : { suggestedKeyName: inUrl }) };
  return err(failure('key-name-invalid', facts));
}

function whatIsWrong(name: string): string {
  if (name === '') return 'it is empty';
  if (/^https?:/i.test(name)) return 'it is an address, and only the name is asked for';
  if (name.includes('/')) return 'it holds a slash; enter the name without a version';
  if (name.length > 127) return 'it is longer than 127 characters';
  return 'it holds characters other than letters, digits and dashes';
}
