// Holds answers against the OpenAPI description: status, headers and body must be as it says.
import { expect } from 'vitest';
import * as z from 'zod';
import { LAST } from '../../../functions/http/kernel/register.ts';
import type { Route } from '../../../functions/http/kernel/route.ts';
import { exactDocumentOf, operationsOf, type DescribedOperation } from '../../fixtures/api-document.ts';
import type { ApiAnswer } from './api-answer.ts';

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

/** Of every answer, of whatever operation: they say how its bytes are to be taken. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'cache-control',
  'x-content-type-options',
]);

export class ApiDescription {
  /** `get-company 200`: every answer that was seen and held. */
  readonly seen = new Set<string>();
  readonly document: Readonly<Record<string, unknown>>;
  readonly #operations: ReadonlyMap<string, DescribedOperation>;
  readonly #schemas: Readonly<Record<string, object>>;
  readonly #compiled = new Map<string, z.ZodType>();

  constructor(routes: readonly Route<never>[]) {
    const document = exactDocumentOf(routes);
    this.document = { ...document };
    this.#schemas = document.components?.schemas ?? {};
    this.#operations = new Map(operationsOf(document).map((operation) => [operation.operationId, operation]));
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
    if (answer.status >= 400) this.#expectCode(operationId, answer);
    if (!described) throw new Error(`not described: ${what}`);
    const headers = Object.entries(described.headers ?? {});
    for (const [name, { required, schema }] of headers) {
      const value = answer.headers.get(name);
      if (required === true) expect(value, `${name} of ${what}`).not.toBeNull();
      if (value !== null && 'type' in schema && schema.type === 'integer')
        expect(value, `${name} of ${what}`).toMatch(/^[1-9]\d*$/);
    }
    const known = new Set(headers.map(([name]) => name.toLowerCase()));
    const stray = [...answer.headers.keys()].filter((name) => !known.has(name) && !EVERYWHERE.has(name));
    expect(stray, what).toEqual([]);
    if (method === 'HEAD') return;
    const schema = described.content?.['application/json']?.schema;
    if (schema) this.#expectBody(schema, answer, what);
    else expect(answer.body, what).toEqual({});
    const isPage = described.content?.['text/html'] !== undefined;
    expect(answer.html !== undefined, what).toBe(isPage);
    if (isPage) expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    this.seen.add(`${operationId} ${answer.status}`);
  }

  #expectCode(operationId: string, { status, headers }: ApiAnswer): void {
    const described = this.#operations.get(operationId)?.['x-error-codes'][String(status)] ?? [];
    expect(described, `codes of ${operationId} ${status}`).toContain(headers.get('x-ms-error-code'));
  }

  /** What does not fit; nothing if all does. */
  faultsOf(schema: object, value: unknown): readonly unknown[] {
    const own = JSON.stringify(schema);
    let compiled = this.#compiled.get(own);
    if (!compiled) {
      const text = JSON.stringify({ ...schema, $defs: this.#schemas });
      const local = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as JsonSchema;
      compiled = z.fromJSONSchema(local);
      this.#compiled.set(own, compiled);
    }
    return compiled.safeParse(value).error?.issues ?? [];
  }

  #expectBody(schema: object, answer: ApiAnswer, what: string): void {
    expect(this.faultsOf(schema, answer.body), what).toEqual([]);
  }
}
