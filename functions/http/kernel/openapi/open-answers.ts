// Answers grow: a client that was generated from the description of today must neither fail at a member nor at a word that came later (Azure's API
// guidelines: enums are extensible, and a new member is no breaking change). So the schemas of answers, unlike those of requests, do not close what they
// list. Left as they are: what requests are made of too, and the field by which alternatives are told apart. Pure.

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `document` is an OpenAPI document whose answers refer to schemas by name. */
export function openAnswers<D extends object>(document: D): D {
  const { components, paths } = document as { readonly components?: Json; readonly paths?: Json };
  const schemas = (components?.['schemas'] ?? {}) as Readonly<Record<string, unknown>>;
  const requests = Object.values(paths ?? {})
    .flatMap((item) => Object.values(item as Json) as Json[])
    .map(({ parameters, requestBody }) => [parameters, requestBody]);
  const kept = namesIn([requests, components?.['parameters'], tellsApart(schemas)], schemas);
  const opened = Object.entries(schemas).map(([name, schema]) => [name, kept.has(name) ? schema : open(schema)]);
  return { ...document, components: { ...components, schemas: Object.fromEntries(opened) as Json } };
}

/** The schemas that a value refers to, and those that they refer to. */
function namesIn(value: unknown, schemas: Readonly<Record<string, unknown>>, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const one of value) namesIn(one, schemas, found);
  if (!isObject(value)) return found;
  for (const [name, inner] of Object.entries(value)) {
    const target = name === '$ref' ? /^#\/components\/schemas\/(\w+)$/.exec(String(inner))?.[1] : undefined;
    if (target === undefined) namesIn(inner, schemas, found);
    else if (found.size !== found.add(target).size) namesIn(schemas[target], schemas, found);
  }
  return found;
}

/** Of each alternative the field that says which one it is. */
function tellsApart(value: unknown, schemas = value as Json): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one) => tellsApart(one, schemas));
  if (!isObject(value)) return [];
  const { discriminator, oneOf = [] } = value as {
    discriminator?: { propertyName: string };
    oneOf?: { $ref: string }[];
  };
  const own = discriminator
    ? oneOf.map(({ $ref }) => {
        const branch = schemas[$ref.split('/').at(-1) ?? ''] as { readonly properties?: Json } | undefined;
        return branch?.properties?.[discriminator.propertyName];
      })
    : [];
  return [...own, ...Object.values(value).flatMap((inner) => tellsApart(inner, schemas))];
}

function open(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(open);
  if (!isObject(schema)) return schema;
  const parts = Object.entries(schema).flatMap(([name, part]): [string, unknown][] => {
    if (name === 'additionalProperties' && part === false) return [];
    if (name === 'enum') return [['x-extensible-enum', part]];
    return [[name, name === 'example' ? part : open(part)]];
  });
  return Object.fromEntries(parts);
}
