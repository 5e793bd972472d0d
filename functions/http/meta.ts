// The description of the API, for everybody. Made when it is first asked for, once per process: a cold start does not wait for it.
import { z } from 'zod';
import { ok } from '../../shared/domain/result.ts';
import { describeApi } from './openapi.ts';
import { defineRoute, type Route } from './route.ts';

export interface MetaServices {
  readonly version: string;
}

/** `routes` is the whole table, this route included: the description describes itself. */
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
      run: (deps: D) => {
        description ??= { ...describeApi(routes(), deps.version) };
        return Promise.resolve(ok({ status: 200, body: description }));
      },
    }),
  ];
}
