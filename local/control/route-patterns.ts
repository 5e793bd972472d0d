// Control calls with names in the path: `'PUT /tenants/:tenant/service-principals/:app'`. Bodies are checked with zod,
// so that a misspelt field of a test or script is an error instead of silence. Sits on Control, knows no emulator.
import type { z } from 'zod';
import type { Control, ControlRequest } from './control.ts';

export type PathNames = Readonly<Record<string, string>>;

interface Pattern {
  readonly method: string;
  readonly segments: readonly string[];
  readonly handle: (names: PathNames, request: ControlRequest) => unknown;
}

/** Collects calls, and adds them to a Control by their first path segment. */
export class RoutePatterns {
  readonly #control: Control;
  readonly #patterns: Pattern[] = [];

  constructor(control: Control) {
    this.#control = control;
  }

  /** A call that takes no body. */
  on(call: string, handle: (names: PathNames) => unknown): this {
    return this.#add(call, (names) => handle(names));
  }

  /** A call whose body must match `schema`; no body counts as `{}`. */
  withBody<T>(call: string, schema: z.ZodType<T>, handle: (body: T, names: PathNames) => unknown): this {
    return this.#add(call, (names, { body }) => handle(schema.parse(body ?? {}), names));
  }

  #add(call: string, handle: Pattern['handle']): this {
    const [method = '', path = ''] = call.split(' ');
    const segments = path.split('/').slice(1);
    this.#patterns.push({ method, segments, handle });
    const [first = ''] = segments;
    const dispatch = (request: ControlRequest): unknown => this.#dispatch(request);
    // Control knows exact paths and `/*`: one of the two covers every pattern of this method and first segment.
    this.#control.route(segments.length === 1 ? `${method} /${first}` : `${method} /${first}/*`, dispatch);
    return this;
  }

  #dispatch(request: ControlRequest): unknown {
    const given = request.path.split('/').slice(1);
    for (const pattern of this.#patterns) {
      const names = pattern.method === request.method ? match(pattern.segments, given) : undefined;
      if (names) return pattern.handle(names, request);
    }
    throw new Error(`no such call: ${request.method} ${request.path}`);
  }
}

function match(segments: readonly string[], given: readonly string[]): PathNames | undefined {
  if (segments.length !== given.length) return undefined;
  const names: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const value = decodeURIComponent(given[index] ?? '');
    if (segment.startsWith(':')) names[segment.slice(1)] = value;
    else if (segment !== value) return undefined;
  }
  return names;
}

/** The value of a name that the pattern has. */
export function named(names: PathNames, name: string): string {
  const value = names[name];
  if (value === undefined) throw new Error(`the pattern has no ':${name}'`);
  return value;
}
