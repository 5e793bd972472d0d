// What the host tells a worker of a trigger beside its value (trigger metadata). Names do not mind case, and what comes later takes the
// place of what was there under the name that was there first. Source: Utility.ApplyBindingData of azure-functions-host, and
// HttpTriggerAttributeBindingProvider of azure-webjobs-sdk-extensions. Pure.
import type { TypedData } from './core-types.ts';

export class BindingData {
  readonly #values = new Map<string, { readonly name: string; readonly data: TypedData }>();

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  set(name: string, data: TypedData): void {
    const key = name.toLowerCase();
    this.#values.set(key, { name: this.#values.get(key)?.name ?? name, data });
  }

  /** Every member of a JSON object but arrays and nulls, laid over what is there. Text that is no such object adds nothing. */
  apply(text: string): void {
    const trimmed = text.trim();
    if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return;
    for (const [name, data] of membersOf(trimmed)) this.set(name, data);
  }

  toMetadata(): Record<string, TypedData> {
    return Object.fromEntries([...this.#values.values()].map(({ name, data }) => [name, data]));
  }
}

/** Nothing of what is no JSON, and nothing of what is nested too deep to be read (Newtonsoft's reader ends at 64 levels, ours far later). */
function membersOf(text: string): [string, TypedData][] {
  try {
    const members = Object.entries(JSON.parse(text) as Readonly<Record<string, unknown>>);
    return members
      .filter(([, value]) => value !== null && !Array.isArray(value))
      .map(([name, value]) => [
        name,
        typeof value === 'object' ? { json: JSON.stringify(value) } : { string: textOf(value) },
      ]);
  } catch {
    return [];
  }
}

/** As .NET writes them: `True`, not `true`. */
const textOf = (value: unknown): string => (typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value));

/** Of an HTTP request: members of an announced JSON body, then the query, then the route, then both collections as a whole. */
export function httpBindingData(request: {
  readonly body: Buffer | undefined;
  readonly query: URLSearchParams;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}): Record<string, TypedData> {
  const data = new BindingData();
  if (request.body) data.apply(request.body.toString('utf8'));
  const query = Object.fromEntries(request.query);
  for (const [name, value] of Object.entries(query)) {
    if (name.toLowerCase() !== 'code') data.set(name, { string: value });
  }
  for (const [name, value] of Object.entries(request.params)) data.set(name, { string: value });
  if (!data.has('Query')) data.set('Query', { json: JSON.stringify(query) });
  if (!data.has('Headers')) data.set('Headers', { json: JSON.stringify(request.headers) });
  return data.toMetadata();
}
