// What is recorded of unwrapping, as a scene: a company that was known for long enough is about to unwrap far more than it ever did.
import { noteUnwraps } from '../../shared/operations/audit/note-unwraps.ts';
import { unwrapHabitRow } from '../../shared/store/rows/unwrap-rows.ts';
import { COMPANY, type Rig } from '../operations/switches/rig.ts';
import { after, type Scene } from './scene.ts';

const MINUTE = 30_000_000;
const HOUR = MINUTE / 60;
const FAR_BEYOND = { minute: MINUTE, keys: 1_000_000, name: 'a process' };

function knownForLong(rig: Rig): Promise<void> {
  const habit = { since: HOUR - 24 * 30, hour: HOUR - 1, keys: 1, days: [], lastCount: '' };
  rig.store.tamper('health', COMPANY, '!unwraps', unwrapHabitRow.cells(habit));
  return Promise.resolve();
}

export const UNWRAPS: Readonly<Record<string, () => Promise<Scene>>> = {
  'data-keys.unusual': after(knownForLong, (host) => noteUnwraps(host, COMPANY, FAR_BEYOND)),
};
