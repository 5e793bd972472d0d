// Messages that nobody can work on. Each is recorded once, by the hash of its body and never by the body itself, and then it is
// over: a message that is retried for ever would be a way to stop the product.
import { createHash } from 'node:crypto';
import { KEYSWITCH } from '../domain/audit.ts';
import { poisonRowKey, SYSTEM_PARTITION } from '../domain/rows/row-keys.ts';
import type { Auditing } from './audit/append.ts';
import { audited, type ActRecord } from './audit/audited.ts';
import { StoreUnavailable } from './ports.ts';

const MAX_ATTEMPTS = 3;

/** Throws StoreUnavailable if it cannot be told whether it was recorded: the message then comes again. */
export async function recordPoison(
  deps: Auditing,
  message: { readonly reason: string; readonly value: unknown; readonly messageId?: string },
): Promise<void> {
  const hash = createHash('sha256').update(textOf(message)).digest('hex');
  deps.log.write({ level: 'error', event: 'security.poison-message', detail: { reason: message.reason, hash } });
  const cells = {
    format: 1,
    reason: message.reason,
    hash,
    messageId: message.messageId ?? '',
    at: deps.clock.now().toISOString(),
  };
  const rowKey = poisonRowKey(hash);
  const detail = { reason: message.reason };
  const act = { action: 'message.poison', companyId: SYSTEM_PARTITION, target: rowKey, detail };
  await audited(deps, KEYSWITCH, act, async (record: ActRecord) => {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const written = await record.write('companies', SYSTEM_PARTITION, [{ kind: 'insert', rowKey, cells }]);
      if (written.outcome !== 'unknown') return;
    }
    throw new StoreUnavailable('a poison message could not be recorded');
  });
}

/** JSON is parsed at any depth, yet not written: a message that cannot be is named by its id, or it would come back for ever. */
function textOf({ value, messageId }: { readonly value: unknown; readonly messageId?: string }): string {
  try {
    return JSON.stringify([value]);
  } catch {
    return JSON.stringify(['nested too deeply', messageId]);
  }
}
