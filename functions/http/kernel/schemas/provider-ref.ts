// How the API names where a key lives: a provider of the registry, and the company's connection to it unless the key is the vendor's.
import * as z from 'zod';
import { PROVIDERS } from '../../../../shared/providers/registry/providers.ts';
import { connectionId } from './ids.ts';

/** `azure-key-vault` is described as `AzureKeyVaultProvider`. */
const schemaId = (name: string): string =>
  `${name.replace(/(?:^|-)([a-z])/g, (_, first: string) => first.toUpperCase())}Provider`;

const vendors = (name: string): z.ZodObject<{ provider: z.ZodLiteral<string> }, z.core.$strict> =>
  z.strictObject({ provider: z.literal(name) }).meta({ id: schemaId(name) });

const connected = (
  name: string,
): z.ZodObject<{ provider: z.ZodLiteral<string>; connectionId: typeof connectionId }, z.core.$strict> =>
  z.strictObject({ provider: z.literal(name), connectionId }).meta({ id: schemaId(name) });

const [first, ...others] = PROVIDERS;
const refTo = ({ name, isVendors }: (typeof PROVIDERS)[number]): ReturnType<typeof vendors | typeof connected> =>
  isVendors ? vendors(name) : connected(name);

/** Of the first provider that companies connect. */
export const EXAMPLE_REF = { provider: PROVIDERS.find(({ isVendors }) => !isVendors)?.name, connectionId: 'main' };

export const providerRef = z.discriminatedUnion('provider', [refTo(first), ...others.map(refTo)]).meta({
  id: 'Provider',
  description: "Where the key-encryption key lives: the vendor's vault or the company's.",
  example: EXAMPLE_REF,
});
