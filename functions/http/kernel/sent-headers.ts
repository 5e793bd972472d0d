// The headers of a request as they were sent. With streaming the host tells the app of them in its trigger metadata, where a member of a JSON
// body, or a parameter of the query, that is called `headers` takes their place (HttpTriggerAttributeBindingProvider of
// azure-webjobs-sdk-extensions): a caller would choose what the app sees of its own address, a page what the app sees of its visitor's
// browser. The request that is passed through cannot be chosen so. Pure.

/** A value as the host hands it over; exactly one property is set. */
export interface Told {
  readonly string?: string | null;
  readonly json?: string | null;
}

export interface PassedRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Names in lower case, each line of its own. */
  readonly headersDistinct: NodeJS.Dict<string[]>;
}

const NAME = 'Headers';
const FORWARDED_FOR = 'x-forwarded-for';
/** What YARP and .NET's client write, or take away, between host and worker. */
const OF_THE_WAY =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*|x-forwarded-.*|x-ms-invocation-id|traceparent|tracestate|baggage|request-id|correlation-context)$/;

/** Puts them where the library reads them. The address of the client is in no other place than the metadata, since YARP writes its own over it. */
export function tellSentHeaders(metadata: Record<string, Told>, request: PassedRequest): void {
  const sent = sentHeaders(request);
  const told = headersOf(metadata[NAME]);
  for (const name of Object.keys(metadata)) {
    if (name.toLowerCase() === NAME.toLowerCase()) Reflect.deleteProperty(metadata, name);
  }
  const address = told?.get(FORWARDED_FOR);
  if (told && address !== undefined && areOfThisRequest(told, sent, request)) sent.set(FORWARDED_FOR, address);
  metadata[NAME] = { json: JSON.stringify(Object.fromEntries(sent)) };
}

function sentHeaders({ headersDistinct }: PassedRequest): Map<string, string> {
  const sent = new Map<string, string>();
  for (const [name, lines = []] of Object.entries(headersDistinct)) {
    if (!OF_THE_WAY.test(name)) sent.set(name, lines.join(name === 'cookie' ? '; ' : ', '));
  }
  return sent;
}

/** Undefined if they are no headers, or tell of no address. Names in lower case. */
function headersOf(told: Told | undefined): Map<string, string> | undefined {
  const text = told?.json ?? told?.string ?? '';
  if (!text.toLowerCase().includes(FORWARDED_FOR)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    return new Map(Object.entries(value).map(([name, text]) => [name.toLowerCase(), String(text)]));
  } catch {
    return undefined;
  }
}

/**
 * Whether the headers in the metadata are those of this request. Without a body and without such a parameter nothing can have replaced them. With a
 * body of a PUT or POST they must equal what was sent: a caller cannot know every header that Azure's front end adds. With a body of any other
 * method they are not believed, since the app does not read that body and would not refuse the member.
 */
function areOfThisRequest(
  told: ReadonlyMap<string, string>,
  sent: ReadonlyMap<string, string>,
  { method, url }: PassedRequest,
): boolean {
  const query = [...new URLSearchParams(/\?.*$/s.exec(url ?? '')?.[0] ?? '').keys()];
  if (query.some((name) => name.toLowerCase() === NAME.toLowerCase())) return false;
  if (Number(sent.get('content-length') ?? 0) === 0) return true;
  if (method !== 'PUT' && method !== 'POST') return false;
  return [...sent].every(([name, text]) => words(told.get(name)) === words(text));
}

/** The host joins lines by a comma alone. */
const words = (text = ''): string => text.split(/[\s,;]+/).join(' ');
