// Carries out one operation under the faults planted for it, and writes it into the request log. The one place that
// knows what a fault does to AMQP.
import type { Control, FaultEffect, RequestRecord } from '../control/control.ts';
import type { ClientConnection } from './client-connection.ts';
import { plantedFailure, type Failure } from './failures.ts';

export interface Outcome {
  readonly status: number;
  readonly detail?: NonNullable<RequestRecord['detail']>;
  /** Opening connections and links is logged only where a fault met it: the log is of what was asked on them. */
  readonly isUnlogged?: true;
  /** Tells the client; not called when the connection is cut after acting. */
  readonly answer: () => void;
  /** What follows for others, told the client or not: a message sent is delivered to whoever waits for it. */
  readonly followUp?: () => void;
}

export const BROKER_OPERATIONS = [
  'open',
  'begin',
  'attach',
  'put-token',
  'send',
  'receive',
  'complete',
  'abandon',
  'dead-letter',
  'schedule',
  'cancel-scheduled',
  'renew-lock',
  'peek',
] as const;
export type BrokerOperation = (typeof BROKER_OPERATIONS)[number];

interface Operation {
  readonly operation: BrokerOperation;
  readonly target: string;
  readonly client: ClientConnection;
  readonly act: () => Outcome;
  /** Tells the client that a planted status came instead of acting. */
  readonly refuse: (failure: Failure) => void;
}

export function carryOut(control: Control, operation: Operation): void {
  const effect = control.take(operation.operation, operation.target);
  const waitMs = (effect?.delayMs ?? 0) + control.latencyMs;
  const begin = (): void => {
    if (!effect) finish(control, operation, operation.act());
    else if (effect.hold === true) void control.untilCleared().then(() => carryOutUnder(effect, control, operation));
    else carryOutUnder(effect, control, operation);
  };
  if (waitMs > 0) setTimeout(begin, waitMs).unref();
  else begin();
}

function carryOutUnder(effect: FaultEffect, control: Control, operation: Operation): void {
  const { operation: name, target, client } = operation;
  if (effect.drop === 'before-acting') {
    control.record({ operation: name, target, status: 0 });
    client.cut();
    return;
  }
  if (effect.hang === true) {
    control.record({ operation: name, target, status: 0 });
    return;
  }
  if (effect.status !== undefined) {
    const failure = plantedFailure(effect, effect.status);
    control.record({ operation: name, target, status: failure.status });
    operation.refuse(failure);
    return;
  }
  const outcome = operation.act();
  if (effect.drop !== 'after-acting') {
    finish(control, operation, outcome);
    return;
  }
  control.record({ operation: name, target, status: 0, ...(outcome.detail ? { detail: outcome.detail } : {}) });
  client.cut();
  outcome.followUp?.();
}

function finish(
  control: Control,
  { operation, target }: Operation,
  { status, detail, isUnlogged, answer, followUp }: Outcome,
): void {
  if (isUnlogged !== true) control.record({ operation, target, status, ...(detail ? { detail } : {}) });
  answer();
  followUp?.();
}
