// The address of a vault as callers write it. Pure.
import * as z from 'zod';

/** Of what is judged by the operation, with words of its own: here only bounded. */
export const MAX_INPUT_CHARS = 2048;

/** Its pattern is of the deployment: the description fills it in. */
export const vaultUri = z.string().max(MAX_INPUT_CHARS).meta({
  description: "The vault's base URI; not of the vendor's own vault.",
  example: 'https://contoso.vault.azure.net',
});
