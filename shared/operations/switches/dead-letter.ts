// Messages that the queue gave up on, because their worker died or threw again and again. Blocks the switch with that reason, so that its admins see why
// it waits; `retry` resumes it.
import { MalformedRow } from '../../store/rows/cells.ts';
import type { Switch, SwitchPlace } from '../../domain/switch.ts';
import { parseWorkMessage } from '../../domain/work-message.ts';
import { loadSwitch, type Loaded } from '../../store/control-state.ts';
import type { Auditing } from '../../store/append.ts';
import type { Tables } from '../../store/tables.ts';
import { recordPoison } from './poison.ts';
import { blockSwitch } from './trouble.ts';

/** Reasons that a sender causes without any failed work: they block nothing, and the timer resumes the switch. */
const SENDERS_DOING: ReadonlySet<string> = new Set(['TTLExpiredException', 'HeaderSizeExceeded']);

export async function handleDeadLetter(
  deps: Auditing,
  letter: { readonly body: unknown; readonly reason: string; readonly messageId?: string },
): Promise<void> {
  const message = parseWorkMessage(letter.body);
  await recordPoison(deps, {
    reason: message.ok ? `dead letter: ${letter.reason}` : message.error,
    value: letter.body,
    ...(letter.messageId === undefined ? {} : { messageId: letter.messageId }),
  });
  if (!message.ok || SENDERS_DOING.has(letter.reason)) return;
  const sw = await readableSwitch(deps.tables, message.value);
  if (!sw) return;
  // From before a cancel or a turn: it says nothing about the present work.
  if (message.value.kind === 'reprotect' && message.value.generation !== sw.value.generation) return;
  const since = deps.clock.now().toISOString();
  await blockSwitch(deps, message.value, {
    generation: sw.value.generation,
    blocked: { reason: 'dead-letter', since, detail: letter.reason },
  });
}

/** Undefined if the row cannot be read. A dead letter that throws would come back for ever; this one is already recorded. */
async function readableSwitch(tables: Tables, place: SwitchPlace): Promise<Loaded<Switch> | undefined> {
  try {
    return await loadSwitch(tables, place);
  } catch (error) {
    if (error instanceof MalformedRow) return undefined;
    throw error;
  }
}
