// Messages that the work queue gave up on. Each is recorded and blocks its switch, with the reason, until an admin decides.
import type { Auditing } from '../../shared/store/append.ts';
import { handleDeadLetter } from '../../shared/operations/switches/dead-letter.ts';
import { bodyOf, deadLetterReasonOf, messageIdOf } from './message.ts';
import type { MessageContext } from './work.ts';

export type DeadLetterServices = Auditing;

export async function handleDeadLetterMessage(
  deps: DeadLetterServices,
  raw: unknown,
  context: MessageContext,
): Promise<void> {
  const { triggerMetadata } = context;
  await handleDeadLetter(deps, {
    body: bodyOf(raw),
    reason: deadLetterReasonOf(triggerMetadata),
    ...messageIdOf(triggerMetadata),
  });
}
