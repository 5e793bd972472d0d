// Answers announce their length: the library streams what does not as a chunked body, in three writes instead of one.
import type { HttpResponseInit } from '@azure/functions';

/** An answer whose headers are told by name, each once. */
export interface PlainAnswer extends HttpResponseInit {
  readonly headers?: Readonly<Record<string, string>>;
}

/** The same answer, its body as bytes that were counted; to a HEAD only the count. What has no body stays without. */
export function wholeAnswer({ jsonBody, ...init }: PlainAnswer, method: string): HttpResponseInit {
  const text = jsonBody === undefined ? init.body : JSON.stringify(jsonBody);
  if (typeof text !== 'string') return init;
  const bytes = Buffer.from(text);
  const type = jsonBody === undefined ? {} : { 'Content-Type': 'application/json' };
  const headers = { ...init.headers, ...type, 'Content-Length': String(bytes.length) };
  const { body: _text, ...rest } = init;
  return { ...rest, headers, ...(method === 'HEAD' ? {} : { body: bytes }) };
}
