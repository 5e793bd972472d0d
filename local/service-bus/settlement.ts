// What a client may do with a message that it holds locked, whether it says so by disposition or by request.
import type { Control } from '../control/control.ts';
import type { ClientConnection } from './client-connection.ts';
import { DEAD_LETTER_NOT_ALLOWED, LOCK_LOST, type Failure } from './failures.ts';
import { carryOut } from './faulty-operation.ts';
import type { Queue } from './queue.ts';
import type { Settled } from './queue-model.ts';

export type SettlementKind = 'complete' | 'abandon' | 'dead-letter';

export interface Settlement {
  readonly kind: SettlementKind;
  readonly lockToken: string;
  /** Application properties to set on the message. */
  readonly properties: Readonly<Record<string, unknown>>;
}

interface SettlementContext {
  readonly queue: Queue;
  readonly control: Control;
  readonly client: ClientConnection;
  readonly answer: (failure?: Failure) => void;
}

export function settleMessage(settlement: Settlement, { queue, control, client, answer }: SettlementContext): void {
  carryOut(control, {
    operation: settlement.kind,
    target: queue.name,
    client,
    refuse: answer,
    act: () => {
      const settled = act(queue, settlement);
      if (!settled.ok) {
        const failure = settled.reason === 'lock-lost' ? LOCK_LOST : DEAD_LETTER_NOT_ALLOWED;
        return { status: failure.status, answer: () => answer(failure) };
      }
      const { message, isDeadLetter } = settled;
      const wasLastAttempt = isDeadLetter && settlement.kind === 'abandon';
      return {
        status: 200,
        detail: { messageId: message.messageId, deliveryCount: message.failedDeliveries },
        answer: () => answer(),
        followUp: () => {
          if (wasLastAttempt) queue.deadLettered(message);
          else if (isDeadLetter) queue.deadLetters?.changed();
          queue.changed();
        },
      };
    },
  });
}

function act({ store }: Queue, { kind, lockToken, properties }: Settlement): Settled {
  switch (kind) {
    case 'complete':
      return store.complete(lockToken);
    case 'abandon':
      return store.abandon(lockToken, properties);
    case 'dead-letter':
      return store.deadLetter(lockToken, properties);
  }
}
