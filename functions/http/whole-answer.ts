// Answers announce their length: the library streams what does not as a chunked body, in three writes instead of one.
import type { HttpResponseInit } from '@azure/functions';

/** The same answer, its body as bytes that were counted; to a HEAD only the count. What has no body stays without. */
export function wholeAnswer({ jsonBody, ...init }: HttpResponseInit, method: string): HttpResponseInit {
  const headers = new Headers(init.headers);
  const text = jsonBody === undefined ? init.body : JSON.stringify(jsonBody);
  if (typeof text !== 'string') return init;
  if (jsonBody !== undefined) headers.set('Content-Type', 'application/json');
  const bytes = Buffer.from(text);
  headers.set('Content-Length', String(bytes.length));
  const { body: _text, ...rest } = init;
  return { ...rest, headers, ...(method === 'HEAD' ? {} : { body: bytes }) };
}
