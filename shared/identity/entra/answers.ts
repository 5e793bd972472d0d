// What Entra ID's refusal of a token means. Pure, and never fails: a number that is not known is `entra-refused`, any other
// answer `entra-error`; neither is a revocation. Entra's texts may change: its AADSTS numbers decide (docs/azure.md).
import { failure, type EntraFailureCode } from './words/failures.ts';
import type { Failure, FailureFacts } from '../../domain/failure.ts';
import { FEDERATION_OFF, FOREIGN_IDENTITY, NO_SUCH_AUDIENCE } from './words/app-failures.ts';
import { APP_DISABLED } from './words/consent-failures.ts';
import { NO_KEY_VAULT_PRINCIPAL } from './words/tenant-failures.ts';
import { classifyNoAnswer } from './no-answer.ts';

/** The company switched the enterprise app off: as much a withdrawal as removing it. */
const SERVICE_PRINCIPAL_DISABLED = 7000112;

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

export function classifyEntraError(error: EntraError, facts: FailureFacts): Failure<EntraFailureCode> {
  const aadsts = error.aadsts ?? aadstsOf(error.message);
  const service = {
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(aadsts === undefined ? {} : { code: `AADSTS${aadsts}` }),
    message: error.message,
    ...correlation(error),
  };
  if (error.message.includes(TOKEN_EXCHANGE)) {
    return failure('federation-mismatch', { ...facts, detail: NO_SUCH_AUDIENCE }, service);
  }
  if (aadsts !== undefined && isOfFederation(aadsts)) {
    const detail = detailOf('federation-mismatch', error.message) ?? unknownNumber(aadsts, error.message);
    return failure('federation-mismatch', { ...facts, detail }, service);
  }
  const known = aadsts === undefined ? undefined : BY_NUMBER.get(aadsts);
  if (known !== undefined) {
    const detail = DETAIL_OF_NUMBER.get(aadsts ?? 0) ?? detailOf(known, error.message);
    return failure(known, detail === undefined ? facts : { ...facts, detail }, service);
  }
  const fallback = codeOfStatus(error.status);
  if (fallback !== undefined) return failure(fallback, facts, service);
  if (aadsts === undefined) {
    if (MANAGED_IDENTITY.test(error.message)) return failure('managed-identity-unavailable', facts, service);
    const network = classifyNoAnswer({ message: error.message }, facts);
    if (network.code === 'entra-unreachable') return failure(network.code, network.facts, service);
    // MSAL's words for "the tenant's metadata could not be had". The probe asks whether the tenant exists.
    if (error.message.includes('endpoints_resolution_error')) return failure('entra-unreachable', facts, service);
  }
  return failure(
    aadsts === undefined || OUT_OF_TIME.has(aadsts) || OF_OUR_APP.has(aadsts) ? 'entra-error' : 'entra-refused',
    aadsts === undefined ? facts : { ...facts, detail: unknownNumber(aadsts, error.message) },
    service,
  );
}

const MANAGED_IDENTITY = /ManagedIdentityCredential|managed identity/i;

/**
 * Numbers as in Microsoft's reference "Microsoft Entra authentication and authorization error codes" and at
 * https://login.microsoftonline.com/error; those of federation from
 * https://learn.microsoft.com/azure/devops/pipelines/release/troubleshoot-workload-identity and public threads.
 */
const BY_NUMBER: ReadonlyMap<number, EntraFailureCode> = new Map(
  (
    [
      ['consent-required', [700016, 700011, 70001, 7000229, 65001, SERVICE_PRINCIPAL_DISABLED]],
      ['consent-declined', [65004]],
      // No such tenant, or none of this cloud.
      ['entra-tenant-not-found', [90002, 900021, 900023, 90038, 90043, 90051, 900382, 900432, 1000104]],
      // Inactive; taken out of service; expired.
      ['entra-tenant-blocked', [5000225, 5000224, 5000229]],
      // Key Vault is switched off in the tenant, not there, or not subscribed to.
      ['entra-resource-disabled', [500014, 500011, 50001, 650052, 650054]],
      // No such credential; a token of another tenant, app or person; federation switched off by a policy of the tenant.
      ['federation-mismatch', [70021, 70025, 700211, 700212, 700213, 7002137, 7002138, 700222, 700223, 700226]],
      ['federation-mismatch', [700229, 700231, 700236, 700238, 7002381]],
      ['client-secret-wrong', [7000215, 70002]],
      ['client-secret-expired', [7000222]],
      ['blocked-by-conditional-access', [53003, 530032]],
      ['entra-unreachable', [50033, 90006, 90012, 90024, 90033, 90090, 90091]],
      ['entra-throttled', [50196, 90055]],
    ] as const satisfies readonly (readonly [EntraFailureCode, readonly number[]])[]
  ).flatMap(([code, numbers]) => numbers.map((number): [number, EntraFailureCode] => [number, code])),
);

/** What the number alone says beyond its code. */
const DETAIL_OF_NUMBER: ReadonlyMap<number, string> = new Map([
  [SERVICE_PRINCIPAL_DISABLED, APP_DISABLED],
  [500011, NO_KEY_VAULT_PRINCIPAL],
  [50001, NO_KEY_VAULT_PRINCIPAL],
  [650052, NO_KEY_VAULT_PRINCIPAL],
  [650054, NO_KEY_VAULT_PRINCIPAL],
  ...[700222, 700226, 700229, 700231, 700236].map((number): [number, string] => [number, FOREIGN_IDENTITY]),
  ...[700223, 700238, 7002381].map((number): [number, string] => [number, FEDERATION_OFF]),
]);

/**
 * Federated credentials have 7002 1.. to 7002 6.. to themselves, and Microsoft adds to them: 700214, 700227, 700263, 7002121 and 7002203 were met
 * in public, and none of Microsoft's lists has them.
 */
const isOfFederation = (aadsts: number): boolean => !BY_NUMBER.has(aadsts) && /^7002[1-6]\d{1,2}$/.test(String(aadsts));

/** The vendor's assertion is outside its time. */
const OUT_OF_TIME: ReadonlySet<number> = new Set([700024, 500133]);
/**
 * The vendor's own: an app that is not multitenant, lacks a redirect URI or asks for no permission, an assertion that is no good, a request that Entra
 * cannot read. No administrator of the company can do anything about it.
 */
const OF_OUR_APP: ReadonlySet<number> = new Set([
  ...[50194, 50011, 700025, 700054, 650057, 65002, 65005, 900971, 50010, 50146, 90124, 90130],
  ...[500112, 500113, 650053, 650056, 1003031],
  ...[50012, 50027, 50048, 700027, 700030, 900384],
  ...[50003, 50013, 700021, 700023],
  ...[28002, 28003, 70003, 70004, 70005, 70007, 70011, 90004, 90009, 90013, 90014, 90023, 900144, 1002012, 9002313],
  ...[700022, 7000110, 7000216, 7000218],
  ...[50147, 501491, 90008, 90010, 90015, 90100, 90102, 90117, 90121, 901002],
]);
export const isOfOurApp = (aadsts: number): boolean => OF_OUR_APP.has(aadsts);
/** Of token exchange, in the managed identity's own tenant: not a word about the company's. */
const TOKEN_EXCHANGE = 'named api://AzureADTokenExchange';
const MAX_WORDS_CHARACTERS = 200;

/** Entra's own words behind the number, up to where its ids and times begin; empty where the text is kept from us. */
function unknownNumber(aadsts: number, message: string): string {
  if (OUT_OF_TIME.has(aadsts)) return `AADSTS${aadsts}, a wrong clock or stale identity token of the vendor`;
  const [, words = ''] =
    new RegExp(`AADSTS${aadsts}: (.*?)(?: - )?(?:\\s*(?:Trace|Correlation) ID:|$)`, 's').exec(message) ?? [];
  const shown = words
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_WORDS_CHARACTERS)
    .replace(/[.\s-]+$/, '');
  return shown === '' ? `AADSTS${aadsts}` : `AADSTS${aadsts}, ${shown}`;
}

function codeOfStatus(status: number | undefined): EntraFailureCode | undefined {
  if (status === 429) return 'entra-throttled';
  if (status === 408 || (status !== undefined && status >= 500 && status <= 599)) return 'entra-unreachable';
  return undefined;
}

/** Which part of the federated credential does not fit. */
function detailOf(code: EntraFailureCode, message: string): string | undefined {
  if (code !== 'federation-mismatch') return undefined;
  const [, part, value] = /presented assertion (issuer|audience|subject) '([^']{1,300})'/.exec(message) ?? [];
  return part === undefined || value === undefined ? undefined : `no credential has the ${part} ${value}`;
}

function correlation(error: EntraError): { correlationId?: string } {
  const id = error.correlationId ?? /Correlation ID: ([0-9a-fA-F-]{36})/.exec(error.message)?.[1];
  return id === undefined ? {} : { correlationId: id };
}
