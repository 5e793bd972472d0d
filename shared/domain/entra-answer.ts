// What Entra ID's refusal of a token means. Pure, and never fails: an answer that is not known is `entra-error`, which is
// never a revocation. Entra's texts may change; only its AADSTS numbers are read (docs/azure.md).
import { failure } from './failure-catalogue.ts';
import type { Failure, FailureCode, FailureFacts } from './failure.ts';
import { APP_DISABLED } from './failures/entra-failures.ts';
import { classifyNetworkError } from './network-error.ts';

interface EntraError {
  readonly aadsts?: number;
  readonly status?: number;
  readonly message: string;
  readonly correlationId?: string;
}

/** The number of the first `AADSTS…` in a text, which is all that some versions of the SDK leave of an answer. */
export function aadstsOf(text: string): number | undefined {
  const digits = /\bAADSTS(\d{4,9})\b/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function classifyEntraError(error: EntraError, facts: FailureFacts): Failure {
  const aadsts = error.aadsts ?? aadstsOf(error.message);
  const service = {
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(aadsts === undefined ? {} : { code: `AADSTS${aadsts}` }),
    message: error.message,
    ...correlation(error),
  };
  const known = aadsts === undefined ? undefined : codeOfNumber(aadsts);
  if (known !== undefined) {
    const detail = aadsts === SERVICE_PRINCIPAL_DISABLED ? APP_DISABLED : detailOf(known, error.message);
    return failure(known, detail === undefined ? facts : { ...facts, detail }, service);
  }
  const fallback = codeOfStatus(error.status);
  if (fallback !== undefined) return failure(fallback, facts, service);
  if (aadsts === undefined) {
    if (MANAGED_IDENTITY.test(error.message)) return failure('managed-identity-unavailable', facts, service);
    const network = classifyNetworkError({ service: 'entra', message: error.message }, facts);
    if (network.code === 'entra-unreachable') return failure(network.code, network.facts, service);
    // MSAL's words for "the tenant's metadata could not be had". Whether the tenant exists is asked by whoever probes it.
    if (error.message.includes('endpoints_resolution_error')) return failure('entra-unreachable', facts, service);
  }
  return failure('entra-error', aadsts === undefined ? facts : { ...facts, detail: `AADSTS${aadsts}` }, service);
}

const MANAGED_IDENTITY = /ManagedIdentityCredential|managed identity/i;
/** The company switched the enterprise app off: as much a withdrawal as removing it. */
const SERVICE_PRINCIPAL_DISABLED = 7000112;

function codeOfNumber(aadsts: number): FailureCode | undefined {
  switch (aadsts) {
    case 700016:
    case 700011:
    case 7000229:
    case 65001:
    case SERVICE_PRINCIPAL_DISABLED:
      return 'consent-required';
    case 65004:
      return 'consent-declined';
    case 90002:
    case 900023:
      return 'entra-tenant-not-found';
    case 70021:
    case 70025:
    case 700211:
    case 700212:
    case 700213:
    case 7002137:
    case 7002138:
      return 'federation-mismatch';
    case 7000215:
      return 'client-secret-wrong';
    case 7000222:
      return 'client-secret-expired';
    case 53003:
    case 530032:
      return 'blocked-by-conditional-access';
    case 90006:
    case 90024:
    case 90033:
      return 'entra-unreachable';
    case 50196:
    case 90055:
      return 'entra-throttled';
    default:
      return undefined;
  }
}

function codeOfStatus(status: number | undefined): FailureCode | undefined {
  if (status === 429) return 'entra-throttled';
  if (status === 408 || (status !== undefined && status >= 500 && status <= 599)) return 'entra-unreachable';
  return undefined;
}

/** Which part of the federated credential does not fit. */
function detailOf(code: FailureCode, message: string): string | undefined {
  if (code !== 'federation-mismatch') return undefined;
  const [, part, value] = /presented assertion (issuer|audience|subject) '([^']{1,300})'/.exec(message) ?? [];
  return part === undefined || value === undefined ? undefined : `no credential has the ${part} ${value}`;
}

function correlation(error: EntraError): { correlationId?: string } {
  const id = error.correlationId ?? /Correlation ID: ([0-9a-fA-F-]{36})/.exec(error.message)?.[1];
  return id === undefined ? {} : { correlationId: id };
}
