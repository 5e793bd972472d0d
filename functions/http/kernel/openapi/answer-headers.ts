// The headers of answers as they are described, each once.
import * as z from 'zod';

const text = (id: string, description: string): z.ZodString => z.string().meta({ description, header: { id } });

export const REQUEST_ID = { 'x-ms-request-id': text('RequestId', 'By it the log and the record name this call.') };
export const ERROR_CODE = { 'x-ms-error-code': text('ErrorCode', 'The `code` of the error.') };
export const CHALLENGE = { 'WWW-Authenticate': text('Challenge', 'Why the token is refused, RFC 6750.') };
export const TAKEN_ENCODINGS = {
  'Accept-Encoding': z
    .string()
    .optional()
    .meta({
      description: 'Where it was the Content-Encoding that is not taken (RFC 9110, 15.5.16).',
      header: { id: 'TakenEncodings' },
    }),
};
export const ETAG = { ETag: text('ETag', 'For If-Match and If-None-Match.') };
export const OPERATION_LOCATION = {
  'Operation-Location': z.url().meta({ description: 'Where `status` is.', header: { id: 'OperationLocation' } }),
};

const seconds = (description: string) => z.int().min(1).meta({ description });

export const RETRY_AFTER = {
  'Retry-After': seconds('Seconds to wait before asking again.').meta({ header: { id: 'RetryAfter' } }),
};
export const PERHAPS_RETRY_AFTER = {
  'Retry-After': seconds('Seconds to wait before asking again; without it, asking again is of no use.')
    .optional()
    .meta({ header: { id: 'PerhapsRetryAfter' } }),
};
export const POLL_AFTER = {
  'Retry-After': seconds('Seconds to wait before looking again; absent once the work has ended.')
    .optional()
    .meta({ header: { id: 'PollAfter' } }),
};

/** Of every page; what they say is for the browser. */
export const PAGE_HEADERS = {
  ...REQUEST_ID,
  'Content-Security-Policy': z.string().meta({ header: { id: 'ContentSecurityPolicy' } }),
  'Referrer-Policy': z.string().meta({ header: { id: 'ReferrerPolicy' } }),
  'X-Frame-Options': z.string().meta({ header: { id: 'FrameOptions' } }),
  'Cross-Origin-Opener-Policy': z.string().meta({ header: { id: 'CrossOriginOpenerPolicy' } }),
  'Set-Cookie': z
    .string()
    .optional()
    .meta({ description: 'Where a sign-in is.', header: { id: 'SetCookie' } }),
};
export const LOCATION = { Location: z.url().meta({ header: { id: 'Location' } }) };
export const REFRESH = {
  Refresh: z
    .string()
    .optional()
    .meta({ header: { id: 'Refresh' } }),
};
