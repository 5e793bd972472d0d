// What runs in every host process by itself: the triggers of the work queue and of its dead letters.
import { handleDeadLetterMessage } from '../../functions/service-bus/dead-letters.ts';
import { handleWorkMessage } from '../../functions/service-bus/work.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import type { Delivery, Source } from './broker.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

export function startPumps(world: World, host: Host): void {
  for (let index = 0; index < world.plan.workersPerProcess; index += 1) void pump(world, host, 'work');
  void pump(world, host, 'dead letters');
}

async function pump(world: World, host: Host, from: Source): Promise<void> {
  const actor = host.actors.worker;
  const { broker } = world;
  const ready = (): boolean => broker.has(from);
  for (;;) {
    await world.turn(actor, { text: `receive from ${from}`, ready, place: 'message:before-receipt' });
    const delivery = broker.receive(host.process, from);
    if (!delivery) continue;
    await world.turn(actor, { text: `received ${delivery.body}`, place: 'message:after-receipt' });
    const handled = await handle(world, host, { from, delivery });
    await world.turn(actor, { text: `complete ${delivery.messageId}`, place: 'message:before-completion' });
    if (handled) broker.complete(delivery);
    else broker.abandon(delivery);
  }
}

/** False if the message must come back. */
async function handle(
  world: World,
  host: Host,
  { from, delivery }: { readonly from: Source; readonly delivery: Delivery },
): Promise<boolean> {
  const services = host.services.worker;
  const { messageId, body } = delivery;
  try {
    if (from === 'work') await handleWorkMessage(services, body, { triggerMetadata: { messageId } });
    else {
      const triggerMetadata = { messageId, deadLetterReason: 'MaxDeliveryCountExceeded' };
      await handleDeadLetterMessage(services, body, { triggerMetadata });
    }
    return true;
  } catch (error) {
    // Our own store or queue being away is the only thing that a message may fail of; anything else is a bug.
    if (!(error instanceof StoreUnavailable)) world.history.broken('10', `a message ended with ${String(error)}`);
    return false;
  }
}
