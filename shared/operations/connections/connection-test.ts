// Testing a connection: from what was typed to a round trip with the key, in order, up to the first check that fails. Asks of
// the vault one GET and one unwrap, and answers at once: waiting for Azure is an answer too. What the world refuses is part
// of the result and never thrown. Of a connection in force the versions in use are looked at as well, and decide: what is wrong with the
// newest one alone is then a warning.
import type { Actor } from '../../domain/audit.ts';
import { isInForce, type Connection } from '../../domain/connection.ts';
import type { ConnectionTest } from '../../domain/connection-verdict.ts';
import type { Failure } from '../../domain/failure.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { connectionRow } from '../../store/rows/sealed-rows.ts';
import { recordEvent, recordFailure, type Recording } from '../../store/record-event.ts';
import type { Log } from '../../domain/ports.ts';
import type { AskedChecks } from '../keys/ask-check.ts';
import { loadConnection } from '../keys/verified-connection.ts';
import { ConnectionChecks, type CheckingConnection } from './connection-checks.ts';

export interface ConnectionTestDependencies extends CheckingConnection, Recording {
  readonly tables: Recording['tables'];
  readonly askedChecks: Pick<AskedChecks, 'ask'>;
}

/** How often a test begins anew because the connection was changed under it. */
const MAX_RUNS = 3;

interface TestRequest {
  readonly companyId: string;
  readonly connectionId: string;
  readonly roleAssigned?: boolean;
}

/**
 * Refused only if there is no such connection, if its row is forged (`row-forged`, nothing is sent), or if the vendor's own
 * seal key cannot be had.
 */
export async function testConnection(
  deps: ConnectionTestDependencies,
  request: TestRequest,
  actor: Actor,
): Promise<Result<ConnectionTest, Refusal>> {
  let tested: Result<ConnectionTest, Refusal> = err({ type: 'busy', retryAfterSeconds: 1 });
  for (let run = 0; run < MAX_RUNS && !tested.ok && tested.error.type === 'busy'; run += 1) {
    tested = await testOnce(deps, request, actor);
  }
  if (tested.ok) await recordTest(deps, request, { actor, test: tested.value });
  return tested;
}

const failureIn = ({ checks }: ConnectionTest): Failure | undefined =>
  checks.find(({ outcome }) => outcome === 'failed')?.failure;

/** What it found is written to the row step by step, so the record of the test is one of its own. */
async function recordTest(
  deps: Recording,
  { companyId, connectionId }: TestRequest,
  { actor, test }: { readonly actor: Actor; readonly test: ConnectionTest },
): Promise<void> {
  const found = failureIn(test);
  const target = connectionRow.key({ companyId, connectionId });
  const detail = { status: test.status, code: found?.code };
  await recordEvent(deps, actor, { action: 'connection.test', companyId, target, detail, outcome: 'done' });
  if (found) await recordFailure(deps, actor, { companyId, target, failure: found });
}

async function testOnce(
  deps: ConnectionTestDependencies,
  request: TestRequest,
  actor: Actor,
): Promise<Result<ConnectionTest, Refusal>> {
  const loaded = await loadConnection(deps, request);
  if (!loaded.ok) return err(refusedBy(loaded.error));
  if (!loaded.value) return err(notFound('connection', request.connectionId));
  const checks = new ConnectionChecks(deps, { companyId: request.companyId, actor, held: loaded.value });
  const refusal = (await checks.run(request.roleAssigned === true)) ?? (await noteOutcome(checks));
  if (refusal) return err(refusal);
  const verdict = checks.verdict();
  logVerdict(deps.log, { companyId: request.companyId, connection: checks.connection, verdict });
  // A switch away from a vault that was revoked is refused until a check has seen it well: a customer who gave access back must not wait for the timer.
  if (verdict.status === 'green' && isInForce(checks.connection)) await deps.askedChecks.ask(request, 'change');
  return ok(verdict);
}

/**
 * No switch is ordered on a connection whose last test failed. Written if it is another outcome than the last. A test that waits has none: were
 * it one, a word that the role was assigned would do in place of a test that is green.
 */
async function noteOutcome(checks: ConnectionChecks): Promise<Refusal | undefined> {
  const verdict = checks.verdict();
  if (verdict.status === 'waiting') return undefined;
  return checks.note({ testFailed: verdict.status === 'failed' ? (failureIn(verdict)?.code ?? null) : null });
}

function logVerdict(
  log: Log,
  about: { readonly companyId: string; readonly connection: Connection; readonly verdict: ConnectionTest },
): void {
  const { companyId, connection, verdict } = about;
  const found = failureIn(verdict);
  log.write({
    level: verdict.status === 'failed' ? 'warning' : 'info',
    event: 'connection.tested',
    detail: {
      companyId,
      connectionId: connection.connectionId,
      status: verdict.status,
      code: found?.code,
      serviceStatus: found?.service?.status,
      serviceCode: found?.service?.code,
      serviceMessage: found?.service?.message,
      correlationId: found?.service?.correlationId,
    },
  });
}
