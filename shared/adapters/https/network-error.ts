// What it means that a service gave no answer at all. Pure, and never fails. A name that does not exist is the vault's
// deletion, unless our own network hides it; everything else on the way may pass.
import { failure } from '../../domain/failure-catalogue.ts';
import type { Failure, FailureFacts } from '../../domain/failure.ts';
import { PRIVATE_NAME } from '../../providers/azure-key-vault/words/vault-network-failures.ts';

/** Codes of Node's sockets, DNS, TLS and undici, of AbortSignal, and of the Azure SDK's pipeline. */
const ON_THE_WAY = [
  /^E(TIMEDOUT|SOCKETTIMEDOUT|TIMEOUT|CONNREFUSED|CONNRESET|CONNABORTED|PIPE|PROTO|NODATA|SERVFAIL|REFUSED)$/,
  /^E(HOSTUNREACH|HOSTDOWN|NETUNREACH|NETDOWN|NETRESET|ADDRNOTAVAIL|MFILE|NFILE)$/,
  /^EAI_/,
  /^(UND_)?ERR_(SSL|TLS|HTTP2?|CONNECT|HEADERS|BODY|SOCKET|ABORTED|CLOSED|RESPONSE)/,
  /^UND_ERR_/,
  /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/,
  /^(REQUEST_SEND_ERROR|REQUEST_ABORTED_ERROR|ABORT_ERR|AbortError|TimeoutError)$/,
];

const ON_THE_WAY_TEXT =
  /socket hang up|fetch failed|timed? ?out|\b(ECONNRE(SET|FUSED)|ETIMEDOUT|EAI_AGAIN|EPROTO|EPIPE)\b|certificate|network error|terminated|other side closed|aborted/i;

const NAMED_IN_TEXT =
  /\b(ENOTFOUND|EAI_[A-Z]{1,20}|E(?:TIMEDOUT|CONNREFUSED|CONNRESET|PIPE|PROTO|HOSTUNREACH|NETUNREACH))\b/;

/**
 * What a second question to DNS, for aliases of a name without an address, found of it: `gone`, nothing; `private`, the alias that
 * Azure gives a vault with private endpoints, which a private zone in our own network leads nowhere
 * (https://learn.microsoft.com/azure/private-link/private-endpoint-dns); `unknown`, neither.
 */
export type NameFound = 'gone' | 'private' | 'unknown';

interface NetworkError {
  readonly service: 'vault' | 'entra';
  readonly errorCode?: string;
  readonly message?: string;
  readonly nameFound?: NameFound;
}

export function classifyNetworkError(input: NetworkError, facts: FailureFacts): Failure {
  const { service, message = '' } = input;
  const code = input.errorCode ?? NAMED_IN_TEXT.exec(message)?.[1];
  const detailed = code === undefined ? facts : { ...facts, detail: code };
  const said = { ...(code === undefined ? {} : { code }), ...(message === '' ? {} : { message }) };
  if (service === 'vault' && code === 'ENOTFOUND') {
    if (input.nameFound === 'private') return failure('vault-unreachable', { ...facts, detail: PRIVATE_NAME }, said);
    return failure('vault-not-found', input.nameFound === 'gone' ? { ...facts, nameGone: true } : facts, said);
  }
  const known = code === 'ENOTFOUND' || (code !== undefined && ON_THE_WAY.some((form) => form.test(code)));
  if (known || ON_THE_WAY_TEXT.test(message)) {
    return failure(service === 'vault' ? 'vault-unreachable' : 'entra-unreachable', detailed, said);
  }
  return failure(service === 'vault' ? 'vault-error' : 'entra-error', detailed, said);
}
