// The description of the API in OpenAPI 3.1, from the same table that registers, validates and authorizes. Pure.
import type * as z from 'zod';
import { ZodObject } from 'zod';
import { createDocument, type ZodOpenApiObject, type ZodOpenApiOperationObject } from 'zod-openapi';
import { TYPED_FORMS } from '../../../../shared/providers/registry/providers.ts';
import { claimOf } from '../roles.ts';
import { fullPath, type Route } from '../route.ts';
import { vaultUri } from '../schemas/vault-uri.ts';
import { TAGS } from '../tags.ts';
import { errorOf, type ErrorStatus } from './errors.ts';
import { INTRODUCTION } from './introduction.ts';
import { openAnswers } from './open-answers.ts';
import { codesInWords, codesOfAll, codesOf } from './operation-codes.ts';
import { requestHeadersOf } from './request-headers.ts';
import { successesOf } from './successes.ts';

type Described = Omit<Route<never>, 'invoke'>;

/** What differs from one deployment to the next. */
export interface Deployment {
  /** What vaults' host names end in. */
  readonly vaultSuffixes: readonly string[];
  /** Of Entra ID, version 2.0. */
  readonly tokenUrl: string;
  readonly scope: string;
}

const SCHEME = 'entra';

/** As callers get it: what answers may hold later is left open. */
export const describeApi = <D>(
  routes: readonly Route<D>[],
  about: Deployment & { readonly version: string },
): ReturnType<typeof createDocument> => openAnswers(describeExactly(routes, about));

/** With the members and words that answers have today, and no others: what they are tested by. */
export function describeExactly<D>(
  routes: readonly Route<D>[],
  about: Deployment & { readonly version: string },
): ReturnType<typeof createDocument> {
  const { version, tokenUrl, scope } = about;
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    const item = (paths[fullPath(route)] ??= {});
    item[route.method.toLowerCase()] = operationOf(route, scope);
  }
  const used = new Set(routes.map(({ tag }) => tag));
  const description: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: {
      title: 'Keyswitch',
      version,
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).flatMap(([name, text]) =>
      used.has(name as keyof typeof TAGS) ? [{ name, description: text }] : [],
    ),
    paths,
    'x-error-codes': codesOfAll(routes),
    components: {
      securitySchemes: {
        [SCHEME]: {
          type: 'oauth2',
          description:
            'A version 2.0 access token of Entra ID for a program, with the app roles that it was given; or one of the second issuer, if the vendor has set one.',
          flows: { clientCredentials: { tokenUrl, scopes: { [scope]: 'What the app roles of the caller allow.' } } },
        },
      },
    },
  };
  const uri = TYPED_FORMS.vaultUri({ allowedSuffixes: about.vaultSuffixes }).source;
  return createDocument(description, {
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === vaultUri) Object.assign(jsonSchema, { pattern: uri });
    },
  });
}

function operationOf(route: Described, scope: string): ZodOpenApiOperationObject {
  const { operationId, tag, summary, description, roles, answersAs } = route;
  const header = requestHeadersOf(route);
  const text = [description, codesInWords(route)].filter(Boolean).join(' ');
  const codes = codesOf(route);
  return {
    operationId,
    tags: [tag],
    summary,
    ...(text === '' ? {} : { description: text }),
    security: roles === 'open' ? [] : [{ [SCHEME]: [scope] }],
    ...(roles === 'open' ? {} : { 'x-roles': roles.map(claimOf) }),
    'x-error-codes': codes,
    requestParams: {
      path: objectSchema(route.pathSchema),
      query: objectSchema(route.querySchema),
      ...(header ? { header } : {}),
    },
    ...bodyOf(route),
    responses: {
      ...successesOf(route),
      ...Object.fromEntries(
        Object.keys(codes).map((status) => [status, errorOf(Number(status) as ErrorStatus, answersAs)]),
      ),
    },
  };
}

function bodyOf({ bodySchema: schema, answersAs }: Described): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (schema === undefined) return {};
  const type = answersAs === 'page' ? 'application/x-www-form-urlencoded' : 'application/json';
  const required = !schema.safeParse(undefined).success;
  return { requestBody: { required, content: { [type]: { schema } } } };
}

function objectSchema(schema: z.ZodType): z.ZodObject {
  if (schema instanceof ZodObject) return schema;
  throw new TypeError('path and query are described by object schemas');
}
