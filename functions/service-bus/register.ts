// The queues and their dead letters as functions of the app. `app` is passed in, so that nothing happens on import.
import type { ServiceBusQueueFunctionOptions } from '@azure/functions';
import { handleCheckMessage, handleDeadCheck, type CheckServices } from './checks.ts';
import { handleDeadLetterMessage, type DeadLetterServices } from './dead-letters.ts';
import type { WorkDependencies } from '../../shared/operations/switches/work.ts';
import { handleWorkMessage } from './work.ts';

/** What is used of `app` from @azure/functions. */
export interface QueueApp {
  serviceBusQueue(name: string, options: ServiceBusQueueFunctionOptions): void;
}

/** Prefix of the settings by which the Functions host itself reaches the namespace. */
const CONNECTION = 'KEYSWITCH_SERVICE_BUS';

export function registerQueues(
  app: QueueApp,
  deps: WorkDependencies & DeadLetterServices,
  { queueName }: { readonly queueName: string },
): void {
  app.serviceBusQueue('work', {
    connection: CONNECTION,
    queueName,
    handler: (message, context) => handleWorkMessage(deps, message, context),
  });
  app.serviceBusQueue('dead-letters', {
    connection: CONNECTION,
    queueName: `${queueName}/$DeadLetterQueue`,
    handler: (message, context) => handleDeadLetterMessage(deps, message, context),
  });
}

export function registerCheckQueue(
  app: QueueApp,
  deps: CheckServices,
  { queueName }: { readonly queueName: string },
): void {
  app.serviceBusQueue('checks', {
    connection: CONNECTION,
    queueName,
    handler: (message, context) => handleCheckMessage(deps, message, context),
  });
  app.serviceBusQueue('check-dead-letters', {
    connection: CONNECTION,
    queueName: `${queueName}/$DeadLetterQueue`,
    handler: (message, context) => handleDeadCheck(deps, message, context),
  });
}
