// What instructions are filled in with, and the names that all of them use. Pure.
import { ENCRYPTION_USER_ROLE_ID } from '../../../identity/entra/words/commands.ts';
import { vaultNameOf } from '../words/vault-commands.ts';
import type { FailureFacts } from '../../../domain/failure.ts';
import type { FederationShown } from '../../provider.ts';

export interface InstructionPlace {
  readonly host: string;
  readonly keyName: string;
  /** Application id of the connector app. */
  readonly appId: string;
  readonly tenantId?: string;
  /** Object id of its service principal in the customer's tenant, once a token has shown it. */
  readonly principalId?: string;
  /** It is an app of the company's own, with a client secret. */
  readonly isOwnApp?: boolean;
  /** What the connector app shows in place of a secret, as its own token says. */
  readonly federation?: FederationShown;
}

/** All that is ever asked of a customer's key. */
export const LEAST_DATA_ACTIONS = [
  'Microsoft.KeyVault/vaults/keys/read',
  'Microsoft.KeyVault/vaults/keys/unwrap/action',
] as const;

/** Role names are unique within a tenant, and vault names everywhere. */
export const leastRoleName = (place: InstructionPlace): string => `Keyswitch key user (${vaultNameOf(place.host)})`;
export const LEAST_ROLE_DESCRIPTION = 'Read the metadata of keys, and unwrap with them. Nothing else.';

export const BUILT_IN_ROLE_ID = ENCRYPTION_USER_ROLE_ID;

export const factsOfPlace = ({
  host,
  isOwnApp: _kind,
  federation: _proof,
  ...rest
}: InstructionPlace): FailureFacts => ({ vaultHost: host, ...rest });
