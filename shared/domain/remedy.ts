// Putting a remedy together, and naming things by what is known of them. Pure.
import type { FailureFacts, Remedy } from './failure.ts';
import { vaultNameOf } from '../providers/azure-key-vault/words/azure-commands.ts';

/** Leaves out the command that could not be filled in. */
export function remedyOf(parts: {
  readonly text: string;
  readonly azureCli?: string | undefined;
  readonly portal?: string | undefined;
}): Remedy {
  return {
    text: parts.text,
    ...(parts.azureCli === undefined ? {} : { azureCli: parts.azureCli }),
    ...(parts.portal === undefined ? {} : { portal: parts.portal }),
  };
}

export const theVault = (facts: FailureFacts): string =>
  facts.vaultHost === undefined ? 'the vault' : `the vault ${facts.vaultHost}`;

export const theKey = (facts: FailureFacts): string =>
  facts.keyName === undefined ? 'the key' : `the key ${facts.keyName}`;

export const theTenant = (facts: FailureFacts): string =>
  facts.tenantId === undefined ? "the company's Entra tenant" : `the Entra tenant ${facts.tenantId}`;

/** How to recognise our principal: display names can be copied, ids cannot. */
export const thePrincipal = (facts: FailureFacts): string => {
  const ids = [
    ...(facts.appId === undefined ? [] : [`application id ${facts.appId}`]),
    ...(facts.principalId === undefined ? [] : [`object id ${facts.principalId}`]),
  ];
  return ids.length === 0 ? 'our service principal' : `the service principal with ${ids.join(' and ')}`;
};

/** The step in the portal that opens a version of the key. */
export const theVersionStep = (facts: FailureFacts): string => facts.keyVersion ?? 'the version';

/** `detail`, when there is one, as the end of a sentence. */
export const because = (facts: FailureFacts): string => (facts.detail === undefined ? '' : `: ${facts.detail}`);

const vaultInPortal = (facts: FailureFacts): string =>
  facts.vaultHost === undefined ? 'Key vaults > the vault' : `Key vaults > ${vaultNameOf(facts.vaultHost)}`;

/** `Azure portal > Key vaults > contoso > …` */
export const inVaultPortal = (facts: FailureFacts, ...steps: readonly string[]): string =>
  ['Azure portal', vaultInPortal(facts), ...steps].join(' > ');

export const inKeyPortal = (facts: FailureFacts, ...steps: readonly string[]): string =>
  inVaultPortal(facts, 'Keys', ...(facts.keyName === undefined ? [] : [facts.keyName]), ...steps);

/** For the beginning of a sentence. */
export const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
