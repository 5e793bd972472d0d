// Messages of the work queue. Returning completes a message, whether it was handled or never can be; throwing abandons one that failed, so that the
// queue counts it.
import { parseWorkMessage } from '../../shared/domain/work-message.ts';
import { recordPoison } from '../../shared/operations/switches/poison.ts';
import { handleSwitchWork, type WorkDependencies } from '../../shared/operations/switches/work.ts';
import { bodyOf, messageIdOf } from './message.ts';

/** What is used of an invocation's context. */
export interface MessageContext {
  readonly triggerMetadata?: Readonly<Record<string, unknown>>;
}

export async function handleWorkMessage(deps: WorkDependencies, raw: unknown, context: MessageContext): Promise<void> {
  const value = bodyOf(raw);
  const message = parseWorkMessage(value);
  if (!message.ok) {
    await recordPoison(deps, { reason: message.error, value, ...messageIdOf(context.triggerMetadata) });
    return;
  }
  await handleSwitchWork(deps, message.value);
}
