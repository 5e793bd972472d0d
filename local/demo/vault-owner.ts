// What the owner of a customer's key does with it, and an outage that befalls its vault.
import type { Customer } from '../environment/customers.ts';
import type { Demo } from './demo.ts';

const pathOf = ({ vaultHost, keyName }: Customer): string => `/vaults/${vaultHost}/keys/${keyName}`;

/** A new version. Answers its id. */
export async function rotateKey({ environment }: Demo, customer: Customer): Promise<string> {
  const made = await environment.keyVault.call('POST', `${pathOf(customer)}/versions`, {});
  return (made as { readonly kid: string }).kid;
}

/** `version` left out: every one. */
export async function setKeyEnabled(
  { environment }: Demo,
  customer: Customer,
  { enabled, version }: { readonly enabled: boolean; readonly version?: string },
): Promise<void> {
  await environment.keyVault.call('PATCH', pathOf(customer), {
    enabled,
    ...(version === undefined ? {} : { version }),
  });
}

/** The vault takes every call of the key, and answers none. */
export const fallSilent = ({ environment }: Demo, { vaultHost, keyName }: Customer): Promise<void> =>
  environment.keyVault.plant({ target: `${vaultHost}/${keyName}`, effect: { hang: true } });

export const answerAgain = ({ environment }: Demo): Promise<void> => environment.keyVault.clearFaults();

/** The last part of a versioned key id. */
export const versionIn = (keyId: string): string => keyId.slice(keyId.lastIndexOf('/') + 1);
