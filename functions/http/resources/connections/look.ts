// What there is to see of a connection: what its Azure admin must do, and how its vault is.
import { ok } from '../../../../shared/domain/result.ts';
import { countCall } from '../../../../shared/store/call-limit.ts';
import { getConnection, type ConnectionsDependencies } from '../../../../shared/operations/connections/connections.ts';
import { checkedAt, getHealth, viewOf } from '../../../../shared/operations/watch/health-report.ts';
import { checkConnection, type CheckDependencies } from '../../../../shared/operations/watch/vault-checks.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { connectionPath, noFields } from '../../kernel/schemas/ids.ts';
import {
  healthBody,
  healthReportBody,
  healthReportToBody,
  healthToBody,
  instructionsBody,
  instructionsToBody,
} from './look-bodies.ts';
import { ONE, READS, SETS_UP } from './places.ts';

export type LookServices = ConnectionsDependencies & CheckDependencies;

export const lookRoutes = [
  defineRoute({
    operationId: 'get-connection-instructions',
    method: 'GET',
    path: `${ONE}/instructions`,
    tag: 'connections',
    summary: 'What the Azure admin must do: az CLI, PowerShell, portal, Bicep',
    roles: READS,
    pathSchema: connectionPath,
    refuses: ['connection-not-found'],
    fails: ['vault'],
    answers: { 200: 'Filled in.' },
    answerSchema: instructionsBody,
    run: async (deps: LookServices, call) => {
      const connection = await getConnection(deps, call.path);
      if (!connection.ok) return connection;
      const { value } = connection.value;
      const provider = deps.providers.of(value);
      const instructions = provider.instructions(value, await provider.shows?.(value));
      return ok({ status: 200, body: instructionsToBody(instructions) });
    },
  }),
  defineRoute({
    operationId: 'get-connection-health',
    method: 'GET',
    path: `${ONE}/health`,
    tag: 'connections',
    summary: 'State of the vault, and its last changes',
    roles: READS,
    pathSchema: connectionPath,
    refuses: ['connection-not-found'],
    fails: ['vault'],
    answers: { 200: 'Unreachable and revoked are never mixed up.' },
    answerSchema: healthReportBody,
    run: async (deps: LookServices, call) => {
      const report = await getHealth(deps, call.path);
      return report.ok ? ok({ status: 200, body: healthReportToBody(report.value, call) }) : report;
    },
  }),
  defineRoute({
    operationId: 'check-connection',
    method: 'POST',
    path: `${ONE}/check`,
    tag: 'connections',
    summary: 'Check the vault now',
    roles: SETS_UP,
    isLimited: true,
    pathSchema: connectionPath,
    bodySchema: noFields,
    refuses: ['connection-not-found', 'connection-not-in-force', 'connection-not-tested'],
    fails: ['vault'],
    answers: { 200: 'The state now.' },
    answerSchema: healthBody,
    run: async (deps: LookServices, call) => {
      const allowed = await countCall(deps, { ...call.path, kind: 'check' });
      if (!allowed.ok) return allowed;
      const checked = await checkConnection(deps, call.path);
      if (!checked.ok) return checked;
      const view = viewOf(deps, call.path, checkedAt(checked.value, deps.clock.now()));
      return ok({ status: 200, body: healthToBody(view, call) });
    },
  }),
] as const;
