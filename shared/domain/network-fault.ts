// Why a service did not answer, as far as codes and texts of sockets tell. Pure, and never fails. The service's own folder says what that means for
// a key or a token.

/** Codes of Node's sockets, DNS, TLS and undici, of AbortSignal, and of SDKs' pipelines. */
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

interface NetworkError {
  readonly errorCode?: string;
  readonly message?: string;
}

/** `no-such-name`: its host name does not resolve. `unreachable`: a network error that may pass. */
export interface NetworkFault {
  readonly what: 'no-such-name' | 'unreachable' | 'unknown';
  readonly code?: string;
  /** For the failure's `service`. */
  readonly said: { readonly code?: string; readonly message?: string };
}

export function networkFault({ errorCode, message = '' }: NetworkError): NetworkFault {
  const code = errorCode ?? NAMED_IN_TEXT.exec(message)?.[1];
  const said = { ...(code === undefined ? {} : { code }), ...(message === '' ? {} : { message }) };
  const isOnTheWay = code !== undefined && ON_THE_WAY.some((form) => form.test(code));
  const what =
    code === 'ENOTFOUND' ? 'no-such-name' : isOnTheWay || ON_THE_WAY_TEXT.test(message) ? 'unreachable' : 'unknown';
  return { what, said, ...(code === undefined ? {} : { code }) };
}
