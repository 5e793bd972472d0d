// What is typed of a connection, judged before anything is sent anywhere. Pure.
import { failure } from './failure-catalogue.ts';
import type { FederatedCredential } from './connection.ts';
import type { Failure } from './failure.ts';
import { isGuid } from './ids.ts';
import { parseKeyName } from './key-name.ts';
import { inPlainCharacters, oddCharacter } from './pasted-text.ts';
import type { Refusal } from './refusal.ts';
import { err, ok, type Result } from './result.ts';
import { parseVaultUri } from './vault-uri.ts';

export interface ConnectionPolicy {
  readonly allowedSuffixes: readonly string[];
  /** The vendor's own vault is never a customer's. */
  readonly vendorVaultHost: string;
  /** Nor is that of the seal key, if it is another. */
  readonly sealVaultHost?: string;
  /** Application id of the connector app. */
  readonly connectorClientId: string;
}

export interface ConnectionInput {
  readonly vaultUri: string;
  readonly keyName: string;
  readonly tenantId?: string;
  readonly credential: { readonly kind: 'federated' };
}

export interface WantedConnection {
  readonly host: string;
  readonly keyName: string;
  readonly tenantId?: string;
  readonly credential: FederatedCredential;
}

export function parseConnectionInput(
  input: ConnectionInput,
  policy: ConnectionPolicy,
): Result<WantedConnection, Refusal> {
  const host = parseCustomerVault(input.vaultUri, policy);
  if (!host.ok) return err({ type: 'failure', failure: host.error, target: 'body.vaultUri' });
  const keyName = parseKeyName(input.keyName);
  if (!keyName.ok) return err({ type: 'failure', failure: keyName.error, target: 'body.keyName' });
  const tenantId = input.tenantId?.trim().toLowerCase();
  if (tenantId !== undefined && !isGuid(tenantId)) {
    return err({ type: 'invalid', target: 'body.tenantId', message: tenantIdMessage(input.tenantId ?? '') });
  }
  return ok({
    host: host.value,
    keyName: keyName.value,
    credential: { kind: input.credential.kind, clientId: policy.connectorClientId },
    ...(tenantId === undefined ? {} : { tenantId }),
  });
}

/** What is wrong with it, and the GUID that was probably meant. */
function tenantIdMessage(text: string): string {
  const odd = oddCharacter(text, (character) => !/^[0-9A-Fa-f-]$/.test(character));
  const meant = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(inPlainCharacters(text).toLowerCase())?.[0];
  return (
    `A tenant id is a GUID${odd === undefined ? '' : `; this holds ${odd}`}.` +
    (meant === undefined ? '' : ` Probably meant: ${meant}.`)
  );
}

/** The host of a vault that may be a customer's. */
export function parseCustomerVault(vaultUri: string, policy: ConnectionPolicy): Result<string, Failure> {
  const parsed = parseVaultUri(vaultUri, policy);
  if (!parsed.ok) return parsed;
  const { host } = parsed.value;
  if (host !== policy.vendorVaultHost && host !== policy.sealVaultHost) return ok(host);
  return err(failure('vault-host-not-allowed', { vaultHost: host, detail: "it is the vendor's own vault" }));
}
