// What is wrong with an input, field by field, in the words of this API. Pure. Names fields and rules, never repeats a value:
// a value may be a key.
import type { z } from 'zod';

export interface Detail {
  readonly code: 'missing-field' | 'unknown-field' | 'invalid-value';
  /** `body.credential.kind`, `path.companyId`, `query.skiptoken`, `header.If-Match`. */
  readonly target: string;
  readonly message: string;
}

const MAX_DETAILS = 100;
const MAX_NAME_CHARS = 64;

/** Every fault, up to 100. `input` is what was parsed: it tells a field that is missing from one of a wrong type. */
export function detailsOf(error: z.ZodError, input: unknown): Detail[] {
  return error.issues.flatMap((issue) => detailsOfIssue(issue, input)).slice(0, MAX_DETAILS);
}

function detailsOfIssue(issue: z.core.$ZodIssue, input: unknown): Detail[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      code: 'unknown-field',
      target: targetOf([...issue.path, key]),
      message: 'There is no such field.',
    }));
  }
  const target = targetOf(issue.path);
  return isMissing(input, issue.path)
    ? [{ code: 'missing-field', target, message: 'This field is required.' }]
    : [{ code: 'invalid-value', target, message: `${issue.message}.` }];
}

function isMissing(input: unknown, path: readonly PropertyKey[]): boolean {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return true;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value === undefined;
}

const targetOf = (path: readonly PropertyKey[]): string =>
  path.map((part) => String(part).slice(0, MAX_NAME_CHARS)).join('.');
