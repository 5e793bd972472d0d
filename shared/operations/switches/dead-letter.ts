// What the queue itself gave up on: a message that made its worker die or throw again and again. The switch is blocked with that
// reason, so that its admins see why it waits; `retry` sets it going again.
import { MalformedRow } from '../../store/rows/cells.ts';
import type { Switch, SwitchPlace } from '../../domain/switch.ts';
import { parseWorkMessage } from '../../domain/work-message.ts';
import { loadSwitch, type Loaded } from '../../store/control-state.ts';
import type { Auditing } from '../../store/append.ts';
import type { Tables } from '../../store/tables.ts';
import { recordPoison } from './poison.ts';
import { blockSwitch } from './trouble.ts';

/** Reasons that a sender brings about by how it sends, without any work having failed: they block nothing, and the timer resumes the switch. */
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
  // Left over from before a cancel or a turn: it says nothing about the work that goes on now.
  if (message.value.kind === 'reprotect' && message.value.generation !== sw.value.generation) return;
  const since = deps.clock.now().toISOString();
  await blockSwitch(deps, message.value, {
    generation: sw.value.generation,
    blocked: { reason: 'dead-letter', since, detail: letter.reason },
  });
}

/** Nothing gives a dead letter up: one for a switch whose row cannot be read would come back for ever. It is recorded by now. */
async function readableSwitch(tables: Tables, place: SwitchPlace): Promise<Loaded<Switch> | undefined> {
  try {
    return await loadSwitch(tables, place);
  } catch (error) {
    if (error instanceof MalformedRow) return undefined;
    throw error;
  }
}
