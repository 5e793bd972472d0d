// Messages that nobody can work on. Each is recorded once, by the hash of its body and never by the body itself, and then it is
// over: a message that is retried for ever would be a way to stop the product.
import { createHash } from 'node:crypto';
import { poisonRowKey, SYSTEM_PARTITION } from '../domain/rows/row-keys.ts';
import type { Clock, Log, Tables } from './ports.ts';

export async function recordPoison(
  deps: { readonly tables: Tables; readonly clock: Clock; readonly log: Log },
  message: { readonly reason: string; readonly value: unknown; readonly messageId?: string },
): Promise<void> {
  const hash = createHash('sha256')
    .update(JSON.stringify([message.value]))
    .digest('hex');
  deps.log.write({ level: 'error', event: 'security.poison-message', detail: { reason: message.reason, hash } });
  const cells = {
    format: 1,
    reason: message.reason,
    hash,
    messageId: message.messageId ?? '',
    at: deps.clock.now().toISOString(),
  };
  await deps.tables.write('companies', SYSTEM_PARTITION, [{ kind: 'insert', rowKey: poisonRowKey(hash), cells }]);
}
