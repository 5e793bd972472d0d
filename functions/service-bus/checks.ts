// Messages of the queue of vault checks, and those that it gave up on: these are recorded and left, since the timer has every vault checked again.
import { parseCheckMessage } from '../../shared/domain/check-message.ts';
import { recordPoison } from '../../shared/operations/switches/poison.ts';
import { handleCheck } from '../../shared/operations/watch/messages.ts';
import type { PlacedDependencies } from '../../shared/operations/watch/check-in-place.ts';
import { bodyOf, deadLetterReasonOf, messageIdOf } from './message.ts';
import type { MessageContext } from './work.ts';

export type CheckServices = PlacedDependencies;

export async function handleCheckMessage(deps: CheckServices, raw: unknown, context: MessageContext): Promise<void> {
  const value = bodyOf(raw);
  const message = parseCheckMessage(value);
  if (message.ok) return handleCheck(deps, message.value);
  await recordPoison(deps, { reason: message.error, value, ...messageIdOf(context.triggerMetadata) });
}

export async function handleDeadCheck(deps: CheckServices, raw: unknown, context: MessageContext): Promise<void> {
  const { triggerMetadata } = context;
  const value = bodyOf(raw);
  const message = parseCheckMessage(value);
  const reason = message.ok ? `dead letter: ${deadLetterReasonOf(triggerMetadata)}` : message.error;
  await recordPoison(deps, { reason, value, ...messageIdOf(triggerMetadata) });
}
