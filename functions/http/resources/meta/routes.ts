// The description of the API, for everybody. Made when it is first asked for, once per process: a cold start does not wait for it.
import * as z from 'zod';
import { ok } from '../../../../shared/domain/result.ts';
import { describeApi, type Deployment } from '../../kernel/openapi/openapi.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import type { Route } from '../../kernel/route.ts';

/** The package's; a test compares the two. */
export const API_VERSION = '0.1.0';

/** `routes` is the whole table, this route included: the description describes itself. */
export interface MetaServices {
  readonly deployment: Deployment;
}

export function metaRoutes<D extends MetaServices>(routes: () => readonly Route<D>[]): readonly Route<D>[] {
  let description: Record<string, unknown> | undefined;
  return [
    defineRoute({
      operationId: 'get-api-description',
      method: 'GET',
      path: '/openapi.json',
      tag: 'meta',
      summary: 'This description, OpenAPI 3.1',
      roles: 'open',
      answers: { 200: 'The description.' },
      answerSchema: z.record(z.string(), z.unknown()),
      run: ({ deployment }: MetaServices) => {
        description ??= { ...describeApi(routes(), { ...deployment, version: API_VERSION }) };
        return Promise.resolve(ok({ status: 200, body: description }));
      },
    }),
  ];
}
