// Where in the Azure portal something is done. Pure.
import type { FailureFacts } from '../../../domain/failure.ts';
import { vaultNameOf } from './vault-commands.ts';

const vaultInPortal = (facts: FailureFacts): string =>
  facts.vaultHost === undefined ? 'Key vaults > the vault' : `Key vaults > ${vaultNameOf(facts.vaultHost)}`;

/** `Azure portal > Key vaults > contoso > …` */
export const inVaultPortal = (facts: FailureFacts, ...steps: readonly string[]): string =>
  ['Azure portal', vaultInPortal(facts), ...steps].join(' > ');

export const inKeyPortal = (facts: FailureFacts, ...steps: readonly string[]): string =>
  inVaultPortal(facts, 'Keys', ...(facts.keyName === undefined ? [] : [facts.keyName]), ...steps);

/** The step that opens a version of the key. */
export const theVersionStep = (facts: FailureFacts): string => facts.keyVersion ?? 'the version';
