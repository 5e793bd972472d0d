// Routing as the Functions host does it: functions are sorted by name (FunctionMetadataManager: OrderBy name, OrdinalIgnoreCase),
// and of their routes the first that fits in path and method is taken (WebJobsRouter is a RouteCollection). A literal does not
// go before a parameter. Case does not matter; `{name}`, `{name?}` and `{*rest}` are known. Pure.

export interface Route<T> {
  /** Of the function. */
  readonly name: string;
  readonly methods: readonly string[];
  readonly template: string;
  readonly target: T;
}

interface RouteMatch<T> {
  readonly target: T;
  readonly params: Readonly<Record<string, string>>;
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter' | 'optional' | 'catch-all'; readonly name: string };

/** As .NET's StringComparer.OrdinalIgnoreCase: code units of the names in upper case, so `-` is before and `_` after letters. */
export function compareNames(one: string, other: string): number {
  const [a, b] = [one.toUpperCase(), other.toUpperCase()];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Throws for a template that the table cannot read: constraints, defaults and mixed segments are not known here. */
export function createRouteTable<T>(
  routes: readonly Route<T>[],
): (method: string, path: string) => RouteMatch<T> | undefined {
  const table = routes
    .map((route) => ({ ...route, segments: route.template.split('/').filter(Boolean).map(parseSegment) }))
    .sort((a, b) => compareNames(a.name, b.name));
  return (method, path) => {
    const parts = splitPath(path);
    for (const { methods, segments, target } of table) {
      if (!methods.includes(method)) continue;
      const params = match(segments, parts);
      if (params) return { target, params };
    }
    return undefined;
  };
}

function parseSegment(text: string): Segment {
  if (!/[{}]/.test(text)) return { kind: 'literal', text: text.toLowerCase() };
  const found = /^\{(\*{0,2})(\w+)(\??)\}$/.exec(text);
  if (!found) throw new Error(`The route segment '${text}' is not supported by the local host.`);
  const [, star, name = '', optional] = found;
  return { kind: star !== '' ? 'catch-all' : optional === '' ? 'parameter' : 'optional', name };
}

/** Decoded segments; a slash at the end is ignored, an empty segment elsewhere matches nothing. */
function splitPath(path: string): readonly string[] {
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '');
  return trimmed === '' ? [] : trimmed.split('/').map(decodeSegment);
}

/** An encoded slash stays encoded, as in ASP.NET; so does what is no valid encoding. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment.replace(/%2f/gi, '%252F'));
  } catch {
    return segment;
  }
}

function match(segments: readonly Segment[], parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    if (segment.kind === 'catch-all') {
      const rest = parts.slice(index).join('/');
      return rest === '' ? params : { ...params, [segment.name]: rest };
    }
    const part = parts[index];
    if (part === undefined || part === '') {
      if (segment.kind !== 'optional' || part === '') return undefined;
    } else if (segment.kind === 'literal') {
      if (part.toLowerCase() !== segment.text) return undefined;
    } else {
      params[segment.name] = part;
    }
  }
  return parts.length > segments.length ? undefined : params;
}
