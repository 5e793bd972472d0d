// Of a failure what may leave the house, in answers of every kind. The service's own words go to the vendor's operators only; a company gets
// the correlation id. Pure.
import type { Failure, FailureCode } from '../../../shared/domain/failure.ts';
import { present } from '../../../shared/domain/plain-object.ts';

/** A failure as every audience may see it; `innererror` for the vendor's operators only. */
export interface PublicFailure {
  readonly code: FailureCode;
  readonly message: string;
  readonly kind: Failure['kind'];
  readonly owner: Failure['owner'];
  readonly cause: string;
  readonly remedy: Failure['remedy'];
  /** The two values offered when a whole key URL was pasted. */
  readonly suggestion?: { readonly vaultUri?: string; readonly keyName?: string };
  readonly becomesDeniedAt?: string;
  readonly correlationId?: string;
  readonly innererror?: NonNullable<Failure['service']>;
}

export function publicFailure(failure: Failure, audience: { readonly isVendorAdmin: boolean }): PublicFailure {
  const { code, message, kind, owner, cause, remedy, facts, service, becomesDeniedAt } = failure;
  const { suggestedVaultUri: vaultUri, suggestedKeyName: keyName } = facts;
  return {
    code,
    message,
    kind,
    owner,
    cause,
    // Commands for the vendor's own vault are for its operators.
    remedy: facts.ownVault !== undefined && !audience.isVendorAdmin ? { text: remedy.text } : remedy,
    ...(vaultUri === undefined && keyName === undefined ? {} : { suggestion: present({ vaultUri, keyName }) }),
    ...(becomesDeniedAt === undefined ? {} : { becomesDeniedAt }),
    ...(service?.correlationId === undefined ? {} : { correlationId: service.correlationId }),
    ...(service === undefined || !audience.isVendorAdmin ? {} : { innererror: service }),
  };
}
