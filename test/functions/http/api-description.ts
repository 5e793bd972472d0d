// Holds answers against the OpenAPI description: status, required headers and body must be as it says.
import { expect } from 'vitest';
import * as z from 'zod';
import { describeApi } from '../../../functions/http/openapi.ts';
import { LAST } from '../../../functions/http/register.ts';
import type { Route } from '../../../functions/http/route.ts';
import type { ApiAnswer } from './api-answer.ts';

interface DescribedAnswer {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: { readonly 'application/json'?: { readonly schema: object }; readonly 'text/html'?: object };
}

interface DescribedOperation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, DescribedAnswer>>;
}

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

export class ApiDescription {
  /** `get-company 200`: every answer that was seen and held. */
  readonly seen = new Set<string>();
  readonly document: Readonly<Record<string, unknown>>;
  readonly #operations = new Map<string, DescribedOperation>();
  readonly #schemas: Readonly<Record<string, object>>;
  readonly #compiled = new Map<object, z.ZodType>();

  constructor(routes: readonly Route<never>[]) {
    const document = describeApi(routes, '0.0.0');
    this.document = { ...document };
    this.#schemas = document.components?.schemas ?? {};
    for (const item of Object.values(document.paths ?? {})) {
      for (const operation of Object.values(item) as DescribedOperation[]) {
        this.#operations.set(operation.operationId, operation);
      }
    }
  }

  expectToFit(operationId: string, answer: ApiAnswer, method: string): void {
    expect(answer.headers.get('x-ms-request-id')).toBeTruthy();
    if (answer.status >= 400) {
      const code = answer.headers.get('x-ms-error-code');
      if (answer.html !== undefined) expect(answer.html).toContain(`<code dir="ltr">${code}</code>`);
      else if (method !== 'HEAD') expect(code).toBe(answer.body['error']?.['code']);
      expect(code).toMatch(/./);
    }
    if (operationId.startsWith(LAST)) {
      if (answer.html === undefined && method !== 'HEAD')
        this.#expectBody({ $ref: '#/components/schemas/Error' }, answer, operationId);
      return;
    }
    const described = this.#operations.get(operationId)?.responses[String(answer.status)];
    const what = `${operationId} ${answer.status} ${JSON.stringify(answer.body)}`;
    if (!described) throw new Error(`not described: ${what}`);
    for (const [name, { required }] of Object.entries(described.headers ?? {})) {
      if (required === true) expect(answer.headers.get(name), `${name} of ${what}`).not.toBeNull();
    }
    if (method === 'HEAD') return;
    const schema = described.content?.['application/json']?.schema;
    if (schema) this.#expectBody(schema, answer, what);
    else expect(answer.body, what).toEqual({});
    const isPage = described.content?.['text/html'] !== undefined;
    expect(answer.html !== undefined, what).toBe(isPage);
    if (isPage) expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    this.seen.add(`${operationId} ${answer.status}`);
  }

  #expectBody(schema: object, answer: ApiAnswer, what: string): void {
    let compiled = this.#compiled.get(schema);
    if (!compiled) {
      const text = JSON.stringify({ ...schema, $defs: this.#schemas });
      const local = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as JsonSchema;
      compiled = z.fromJSONSchema(local);
      this.#compiled.set(schema, compiled);
    }
    const parsed = compiled.safeParse(answer.body);
    expect(parsed.error?.issues ?? [], what).toEqual([]);
  }
}
