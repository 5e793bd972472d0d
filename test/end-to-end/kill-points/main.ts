// The product's app as it is, in hosts that die by SIGKILL where an order says so: bundled by a test in place of functions/main.ts.
// Decorators over ports and over the triggers' handlers; nothing of the product knows of it.
import { app, type FunctionHandler } from '@azure/functions';
import '../../../functions/main.ts';
import { bodyOf } from '../../../functions/service-bus/message.ts';
import { AzureTables } from '../../../shared/adapters/azure-tables.ts';
import { AzureKeyVaults } from '../../../shared/providers/azure-key-vault/client/key-vaults.ts';
import { ServiceBusQueue } from '../../../shared/adapters/service-bus-queue.ts';
import { parseWorkMessage } from '../../../shared/domain/work-message.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import type { KeyVaults } from '../../../shared/providers/azure-key-vault/vaults.ts';
import type { WorkQueue } from '../../../shared/domain/ports.ts';
import { DeadlyQueue, DeadlyTables, DeadlyVaults, reach } from './deadly-ports.ts';
import { decorate } from './decorate.ts';
import { KillOrders, ORDERS_SETTING } from './kill-orders.ts';
import { invocation, WorkUnderWay } from './work-under-way.ts';

const orders = new KillOrders(process.env[ORDERS_SETTING] ?? '');
decorate<Tables>(AzureTables, ['read', 'list', 'write'], (inner) => new DeadlyTables(inner, orders));
decorate<KeyVaults>(AzureKeyVaults, ['readKey', 'unwrap'], (inner) => new DeadlyVaults(inner, orders));
decorate<WorkQueue>(ServiceBusQueue, ['send'], (inner) => new DeadlyQueue(inner, orders));

app.hook.preInvocation((hook) => {
  const { functionHandler, invocationContext } = hook;
  const { type } = invocationContext.options.trigger;
  if (type === 'httpTrigger') {
    hook.functionHandler = (...args): unknown => invocation.run('call', (): unknown => functionHandler(...args));
  }
  if (type === 'serviceBusTrigger') hook.functionHandler = deadlyHandler(functionHandler);
});

function deadlyHandler(handler: FunctionHandler): FunctionHandler {
  return async (raw: unknown, context): Promise<unknown> => {
    const message = parseWorkMessage(bodyOf(raw));
    if (!message.ok) return await (handler(raw, context) as Promise<unknown>);
    return await invocation.run(new WorkUnderWay(message.value), async () => {
      await orders.pass();
      reach(orders, 'message:after-receipt');
      const result: unknown = await handler(raw, context);
      await orders.pass();
      reach(orders, 'message:before-completion');
      return result;
    });
  };
}
