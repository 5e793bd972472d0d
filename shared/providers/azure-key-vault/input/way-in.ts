// How the app is let in to a vault, as it is typed of a connection: the kind of its credential, and the tenant that goes with it. Pure.
import { failure } from '../words/failures.ts';
import type { Refusal } from '../../../domain/refusal.ts';
import { isRecord, present } from '../../../domain/plain-object.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { CLIENT_SECRET, FEDERATED, VENDOR_HOSTED } from '../../../identity/entra/credential-kinds.ts';
import { ownApp, type WayIn } from './own-app.ts';

/** As whom the app may come to a vault. */
export interface WaysIn {
  /** Application id of the connector app. */
  readonly connectorClientId: string;
  /** Client id of the app's own identity. */
  readonly identityClientId: string;
  /** No company's vault is in it but those that the vendor hosts. */
  readonly vendorTenantId: string;
}

/** `tenantId`: as it was typed, a GUID in lower case. */
export function wayIn(typed: unknown, policy: WaysIn, tenantId: string | undefined): Result<WayIn, Refusal> {
  const { connectorClientId, identityClientId, vendorTenantId } = policy;
  if (isRecord(typed) && typed['kind'] === VENDOR_HOSTED) {
    if (tenantId !== undefined && tenantId !== vendorTenantId) return err(NOT_HOSTED_THERE);
    // Known before any vault is asked: one whose challenge names another gets no token.
    return ok({ credential: { kind: VENDOR_HOSTED, clientId: identityClientId }, tenantId: vendorTenantId });
  }
  if (tenantId === vendorTenantId)
    return err({ type: 'failure', failure: failure('vault-of-vendor'), target: 'body.tenantId' });
  if (isRecord(typed) && typed['kind'] === CLIENT_SECRET) return ownApp(typed, { connectorClientId, tenantId });
  return ok({ credential: { kind: FEDERATED, clientId: connectorClientId }, ...present({ tenantId }) });
}

const NOT_HOSTED_THERE: Refusal = {
  type: 'invalid',
  target: 'body.tenantId',
  message: "A vault that the vendor hosts is in the vendor's own tenant: leave the tenant away.",
};
