// What it means that a service gave no answer at all. Pure, and never fails. A name that does not exist is the vault's
// deletion; everything else on the way may pass.
import { failure } from './failure-catalogue.ts';
import type { Failure, FailureFacts } from './failure.ts';

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

export function classifyNetworkError(
  input: { readonly service: 'vault' | 'entra'; readonly errorCode?: string; readonly message?: string },
  facts: FailureFacts,
): Failure {
  const { service, message = '' } = input;
  const code = input.errorCode ?? NAMED_IN_TEXT.exec(message)?.[1];
  const detailed = code === undefined ? facts : { ...facts, detail: code };
  const said = { ...(code === undefined ? {} : { code }), ...(message === '' ? {} : { message }) };
  if (service === 'vault' && code === 'ENOTFOUND') return failure('vault-not-found', facts, said);
  const known = code === 'ENOTFOUND' || (code !== undefined && ON_THE_WAY.some((form) => form.test(code)));
  if (known || ON_THE_WAY_TEXT.test(message)) {
    return failure(service === 'vault' ? 'vault-unreachable' : 'entra-unreachable', detailed, said);
  }
  return failure(service === 'vault' ? 'vault-error' : 'entra-error', detailed, said);
}
