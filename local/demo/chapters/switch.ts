// The chapter `switch`, the main job: a company takes over the key that protects its data, on real files, with everything that can go
// wrong going wrong; and the proof that it was done right.
import { WORK_QUEUE } from '../../environment/app-environment.ts';
import type { Chapter } from '../chapter.ts';
import { damage } from '../damage.ts';
import type { Demo } from '../demo.ts';
import { watchQueue } from '../queue-watch.ts';
import { approvals } from '../scenes/approvals.ts';
import { changeOfMind } from '../scenes/change-of-mind.ts';
import { closingTable } from '../scenes/closing-table.ts';
import { dataInUse } from '../scenes/data-in-use.ts';
import { companyKeyExport } from '../scenes/export.ts';
import { leaks } from '../scenes/leaks.ts';
import { mistakes } from '../scenes/mistakes.ts';
import { proof } from '../scenes/proof.ts';
import { record } from '../scenes/record.ts';
import { revocation } from '../scenes/revocation.ts';
import { switchUnderLoad } from '../scenes/switch-under-load.ts';

export const SWITCH: Chapter = {
  name: 'switch',
  about: 'a company takes over the key that protects its data',
  title: 'Keyswitch: a company takes over the key that protects its data',
  keys: 10_000,
  readsFolder: true,
  settings: {},
  breakable: {
    row: 'a stored data key',
    file: 'an encrypted copy',
    leak: 'a key written where none belongs',
  },
  tell,
};

async function tell(demo: Demo): Promise<void> {
  const messages = watchQueue(demo.environment.serviceBus, WORK_QUEUE);
  const data = await dataInUse(demo);
  await damage(demo, data);
  await mistakes(demo);
  const ordered = await approvals(demo);
  const report = await switchUnderLoad(demo, data.book, ordered);
  await proof(demo, data);
  await companyKeyExport(demo, data.book);
  await revocation(demo, data.book);
  const second = await changeOfMind(demo);
  await leaks(demo, { books: [data.book, second], messages });
  await record(demo);
  await closingTable(demo, report);
}
