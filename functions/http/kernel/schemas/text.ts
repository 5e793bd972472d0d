// A free text as the API takes it: one that people can read. Pure.
import * as z from 'zod';
import { visibleTextFault } from '../../../../shared/domain/visible-text.ts';

/** The form that is promised to be taken. What has another is judged by the operation, with words of its own. */
export const promised = ({ source }: RegExp): object => ({ pattern: source, maxLength: undefined });

export const visibleText = (maxChars: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(maxChars)
    .superRefine((text, context) => {
      const message = visibleTextFault(text);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .meta({
      description:
        'At least one character that can be seen, and none that cannot: no controls, line separators, lone surrogates, bidirectional or zero-width characters.',
    });
