// Keeps the messages of queues from run to run. A message that was locked is free again after a restart, as when its lock runs out; which ids
// came lately is forgotten. What one request changed is on disk before it is answered.
import { asText, fromText } from '../state/as-text.ts';
import { StateFile, type StateChange } from '../state/state-file.ts';
import type { MessageKeeper, StoredMessage } from './queue-model.ts';

interface KeptMessages {
  /** Of one queue, or of the dead letters of one. */
  readonly keeper: (queueName: string, isDeadLetter: boolean) => MessageKeeper;
  close(): void;
}

const LAST_NUMBER = 'last sequence number';

export function openKeptMessages(path: string): KeptMessages {
  const file = new StateFile(path);
  let pending: StateChange[] = [];

  function save(): void {
    const changes = pending;
    pending = [];
    file.write(changes);
  }

  function note(...changes: readonly StateChange[]): void {
    // All that happens in one go is written as one, before what it leads to goes out.
    if (pending.length === 0) process.nextTick(save);
    pending.push(...changes);
  }

  return {
    keeper: (queueName, isDeadLetter) => {
      const kind = `${isDeadLetter ? 'dead letters' : 'messages'} of ${queueName}`;
      const lastKey = { kind: LAST_NUMBER, key: queueName };
      let last = Number(file.value(LAST_NUMBER, queueName) ?? 0);
      return {
        lastSequenceNumber: last,
        messages: () => [...file.rows(kind)].map(({ value }) => fromText(value) as StoredMessage),
        put: (message) => {
          const { sequenceNumber } = message;
          note({ kind, key: String(sequenceNumber), value: asText(message) });
          if (sequenceNumber <= last) return;
          last = sequenceNumber;
          note({ ...lastKey, value: String(last) });
        },
        remove: (sequenceNumber) => note({ kind, key: String(sequenceNumber) }),
        clear: () => {
          save();
          file.clear(kind);
        },
      };
    },
    close: () => {
      save();
      file.close();
    },
  };
}
