// Runs the app's Service Bus queue triggers: peek-lock, one message per invocation, complete when the handler returns,
// abandon when it throws. Redelivery and dead-lettering are the service's business, not decided here.
import { ManagedIdentityCredential } from '@azure/identity';
import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus';
import {
  expandSettings,
  readServiceBusConnection,
  type AppSettings,
  type ServiceBusConnection,
} from './app-settings.ts';
import type { RegisteredFunction } from './core-api.ts';
import type { FunctionErrors } from './function-errors.ts';
import { describeError, type HostLog } from './host-log.ts';
import type { HostSettings } from './host-settings.ts';
import type { Invoker } from './invoke.ts';
import { toMessageData, toTriggerMetadata } from './service-bus-message.ts';
import { findTrigger } from './triggers.ts';

interface ServiceBusTriggers {
  /** Takes no new message. Those under way go on and can still be settled. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

interface QueueTrigger {
  readonly registered: RegisteredFunction;
  readonly bindingName: string;
  readonly queue: string;
  readonly deadLetters: boolean;
  readonly connection: string;
  readonly at: ServiceBusConnection;
  readonly autoComplete: boolean;
}

interface Surroundings {
  readonly settings: AppSettings;
  readonly host: HostSettings;
  readonly invoker: Invoker;
  readonly log: HostLog;
  readonly errors: FunctionErrors;
}

export function startServiceBusTriggers(
  functions: readonly RegisteredFunction[],
  surroundings: Surroundings,
): ServiceBusTriggers {
  const triggers = surroundings.errors.index(functions, (registered) => readTrigger(registered, surroundings));
  const clients = new Map<string, ServiceBusClient>();
  for (const { connection, at } of triggers) {
    if (!clients.has(connection)) clients.set(connection, openClient(at));
  }
  const underWay = new Set<Promise<void>>();
  const subscriptions = triggers.flatMap((trigger) => {
    const client = clients.get(trigger.connection);
    return client ? [subscribe(client, trigger, { ...surroundings, underWay })] : [];
  });
  return {
    stop: async () => {
      await Promise.allSettled(subscriptions.map((subscription) => subscription.close()));
    },
    close: async () => {
      // An invocation that is over has its message still to be settled, and that takes an answer of the service.
      while (underWay.size > 0) await Promise.allSettled(underWay);
      await Promise.allSettled([...clients.values()].map((client) => client.close()));
    },
  };
}

function readTrigger(registered: RegisteredFunction, { settings, host }: Surroundings): QueueTrigger[] {
  const { name: bindingName, binding } = findTrigger(registered.metadata);
  if (binding.type !== 'serviceBusTrigger') return [];
  const { queueName, connection, autoCompleteMessages, isSessionsEnabled, cardinality } = binding as {
    queueName?: string;
    connection?: string;
    autoCompleteMessages?: boolean;
    isSessionsEnabled?: boolean;
    cardinality?: string;
  };
  const refuse = (what: string): never => {
    throw new Error(`Function '${registered.metadata.name}': the local host does not know ${what}.`);
  };
  if (queueName === undefined) return refuse('topics');
  if (isSessionsEnabled === true) return refuse('sessions');
  if (cardinality?.toLowerCase() === 'many') return refuse('batches of messages');
  const path = expandSettings(queueName, settings);
  const queue = path.replace(/\/\$deadletterqueue$/i, '');
  const autoComplete = autoCompleteMessages ?? host.autoCompleteMessages;
  const account = connection ?? 'AzureWebJobsServiceBus';
  const at = readServiceBusConnection(account, settings);
  const where = { queue, deadLetters: queue !== path, connection: account, at };
  return [{ registered, bindingName, autoComplete, ...where }];
}

function openClient({ fullyQualifiedNamespace, clientId }: ServiceBusConnection): ServiceBusClient {
  const credential =
    clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
  return new ServiceBusClient(fullyQualifiedNamespace, credential);
}

function subscribe(
  client: ServiceBusClient,
  trigger: QueueTrigger,
  { host, invoker, log, underWay }: Surroundings & { readonly underWay: Set<Promise<void>> },
): { close(): Promise<void> } {
  const category = `Function.${trigger.registered.metadata.name}`;
  const receiver = client.createReceiver(trigger.queue, {
    receiveMode: 'peekLock',
    skipParsingBodyAsJson: true,
    maxAutoLockRenewalDurationInMs: host.maxAutoLockRenewalMs,
    ...(trigger.deadLetters ? { subQueueType: 'deadLetter' } : {}),
  });
  const process = async (message: ServiceBusReceivedMessage): Promise<void> => {
    const outcome = await invoker
      .invoke(trigger.registered, {
        inputData: [{ name: trigger.bindingName, data: toMessageData(message) }],
        triggerMetadata: toTriggerMetadata(message),
      })
      .then(
        () => 'complete' as const,
        (error: unknown) => {
          log('error', category, `Failed. ${describeError(error)}`);
          return 'abandon' as const;
        },
      );
    if (outcome === 'complete' && !trigger.autoComplete) return;
    await settle(receiver, message, outcome).catch((error: unknown) => {
      log('warning', category, `Message ${String(message.messageId)}: ${outcome} failed. ${describeError(error)}`);
    });
  };
  const processMessage = (message: ServiceBusReceivedMessage): Promise<void> => {
    const processing = process(message).finally(() => underWay.delete(processing));
    underWay.add(processing);
    return processing;
  };
  return receiver.subscribe(
    {
      processMessage,
      processError: ({ error, errorSource }) => {
        log('warning', category, `Service Bus: ${errorSource} failed. ${error.message}`);
        return Promise.resolve();
      },
    },
    { autoCompleteMessages: false, maxConcurrentCalls: host.maxConcurrentCalls },
  );
}

async function settle(
  receiver: ServiceBusReceiver,
  message: ServiceBusReceivedMessage,
  outcome: 'complete' | 'abandon',
): Promise<void> {
  if (outcome === 'complete') await receiver.completeMessage(message);
  else await receiver.abandonMessage(message);
}
