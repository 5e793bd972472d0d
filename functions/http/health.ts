// Whether the process runs, and whether it can work. Liveness is open and says nothing more; readiness asks the store, so it
// takes a token.
import * as z from 'zod';
import { ok } from '../../shared/domain/result.ts';
import { SYSTEM_PARTITION } from '../../shared/domain/rows/row-keys.ts';
import type { Tables } from '../../shared/operations/ports.ts';
import { defineRoute } from './route.ts';

export interface HealthServices {
  readonly tables: Tables;
}

const status = z.strictObject({ status: z.literal('ok') });

export const healthRoutes = [
  defineRoute({
    operationId: 'get-liveness',
    method: 'GET',
    path: '/health/live',
    tag: 'health',
    summary: 'Whether the process runs',
    roles: 'open',
    answers: { 200: 'It runs.' },
    answerSchema: status,
    run: () => Promise.resolve(ok({ status: 200, body: { status: 'ok' as const } })),
  }),
  defineRoute({
    operationId: 'get-readiness',
    method: 'GET',
    path: '/health/ready',
    tag: 'health',
    summary: 'Whether the store answers',
    roles: ['PartnerAdmin', 'CompanyAdmin', 'DataKeys', 'Auditor'],
    answers: { 200: 'It can work.' },
    answerSchema: status,
    run: async (deps: HealthServices) => {
      // Any row will do: the read throws StoreUnavailable if the store is away, and the edge answers 503.
      await deps.tables.read('companies', SYSTEM_PARTITION, 'readiness');
      return ok({ status: 200, body: { status: 'ok' as const } });
    },
  }),
] as const;
