// What kept Service Bus from doing what it was asked, in words that are safe to log. Pure.
import { refusalIn } from './https/access-refused.ts';
import { NothingHeard } from './service-bus-connection.ts';

/** Tells a missing role from a missing queue or a busy namespace: the SDK's code for the AMQP condition, without its message. */
export function conditionOf(error: unknown): string {
  const refusal = refusalIn(error);
  if (refusal) return refusal.code;
  if (error instanceof NothingHeard) return 'nothing heard in time';
  // The last of all attempts.
  if (error instanceof AggregateError && error.errors.length > 0) return conditionOf(error.errors.at(-1));
  const { code, name } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, name: 'unknown' };
  if (typeof code !== 'string' || !/^[\w:-]{1,64}$/.test(code)) return name;
  // The SDK gives this code for a missing queue, and nothing else (ConditionErrorNameMapper of @azure/core-amqp).
  return code === 'ServiceCommunicationProblem' ? `${code} (amqp:not-found)` : code;
}
