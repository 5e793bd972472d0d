// A turn of the timer of vault checks, with all messages that come of it.
import type { CheckMessage } from '../../../shared/domain/check-message.ts';
import { handleCheck } from '../../../shared/operations/watch/messages.ts';
import type { PlacedDependencies } from '../../../shared/operations/watch/check-in-place.ts';
import { beginRounds } from '../../../shared/operations/watch/rounds.ts';
import type { FakeQueue } from '../../fakes/fake-queue.ts';

export async function checkRound(
  deps: PlacedDependencies & { readonly checkQueue: FakeQueue<CheckMessage> },
): Promise<void> {
  await beginRounds(deps);
  await workChecks(deps);
}

export async function workChecks(
  deps: PlacedDependencies & { readonly checkQueue: FakeQueue<CheckMessage> },
): Promise<void> {
  for (let message = deps.checkQueue.take(); message; message = deps.checkQueue.take())
    await handleCheck(deps, message);
}
