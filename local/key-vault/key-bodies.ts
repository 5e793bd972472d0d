// What the bodies of several calls of the keys API have in common.
import * as z from 'zod';

/** `import` stands alone: such a key opens what is imported, and does nothing else. */
export const operationsBody = z
  .array(z.enum(['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey', 'import']))
  .refine((all) => !all.includes('import') || all.length === 1);

export const attributesBody = z.object({
  enabled: z.boolean().optional(),
  nbf: z.number().int().optional(),
  exp: z.number().int().optional(),
});
