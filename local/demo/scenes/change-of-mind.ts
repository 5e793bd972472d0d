// Scene 8: a second company, whose vault uses access policies, begins a switch and cancels it half-way. Nothing has changed.
import {
  askForConsent,
  CompanySwitch,
  enterConnection,
  failureOf,
  getKeyring,
  register,
  testConnection,
} from '../company.ts';
import { compareAll, generateDataKeys } from '../data-keys.ts';
import type { Demo } from '../demo.ts';
import { holdHalfWay } from '../half-way.ts';
import { KeyBook } from '../key-book.ts';
import { goThrough } from '../people.ts';
import { dumpTables } from '../table-dump.ts';
import { readDump, rowsThatOpen } from '../theft.ts';
import { count, number } from '../words.ts';
import { tell } from './mistakes.ts';

const MIN_KEYS = 200;
const MAX_KEYS = 2_000;

export async function changeOfMind(demo: Demo): Promise<KeyBook> {
  const { screen, options, environment } = demo;
  const { fabrikam } = environment.customers;
  screen.section('8  Fabrikam begins a switch, and cancels it half-way');
  await register(demo, fabrikam, 'Fabrikam');
  const book = new KeyBook('fabrikam', Math.min(MAX_KEYS, Math.max(MIN_KEYS, Math.floor(options.keys / 5))));
  await generateDataKeys(demo.dataKeys, book);
  screen.done(`Fabrikam has ${count(book.count, 'data key')} on the vendor’s key. Its vault uses access policies.`);
  await connect(demo);

  const sw = new CompanySwitch(demo, fabrikam, 'to-own-key');
  const hold = await holdHalfWay(environment, book.count);
  await sw.start();
  const begun = await sw.until('the switch is half-way', (now) => now.counts.done > 0 || now.state === 'completed');
  await sw.cancel();
  await hold.release();
  screen.done(
    `Cancelled when ${number(begun.counts.done)} of ${number(begun.counts.total)} data keys had moved ` +
      '(some writes were held back, so that half-way could be seen).',
  );
  const ended = await sw.until('the switch ends', ({ endedAt }) => endedAt !== undefined);
  demo.check(ended.state === 'cancelled', 'Rolled back by itself.', `The switch ended ${ended.state}`);
  await checkNothingChanged(demo, book);
  return book;
}

async function connect(demo: Demo): Promise<void> {
  const { fabrikam } = demo.environment.customers;
  const { vaultUri, keyName } = fabrikam;
  const enter = (name: string): Promise<unknown> => enterConnection(demo, fabrikam, { vaultUri, keyName: name });
  const provoke = async (): ReturnType<typeof enterConnection> => failureOf(await testConnection(demo, fabrikam));
  const consent = async (): Promise<number> =>
    goThrough(demo, { link: await askForConsent(demo, fabrikam), name: 'fabrikam-global-admin' });
  await enter(keyName.replace('key', 'kye'));
  const pages = await consent();
  await fabrikam.grant();
  demo.screen.done(
    `Its admin enters the key, Grace Global of Fabrikam’s tenant consents by the link (${pages} pages), the Azure admin grants access.`,
  );
  const what = 'A name that only the vault can know to be wrong';
  const mended = `The admin corrects it to ${keyName}, and Grace Global consents again: consent is to one key.`;
  const mend = async (): Promise<void> => {
    await enter(keyName);
    await consent();
  };
  await tell(demo, { what, code: 'key-not-found', provoke, mended, mend }, what);
  const { status } = await testConnection(demo, fabrikam);
  demo.check(status === 'green', 'The test is green.', `The connection test should be green, and is ${status}`);
}

async function checkNothingChanged(demo: Demo, book: KeyBook): Promise<void> {
  const { fabrikam } = demo.environment.customers;
  const { provider, companyKeyVersion, switchId } = await getKeyring(demo, fabrikam);
  demo.check(
    provider.provider === 'managed' && companyKeyVersion === 1 && switchId === undefined,
    `The provider is still ${provider.provider}, company key version ${companyKeyVersion}.`,
    `The provider is ${provider.provider}, company key version ${companyKeyVersion}`,
  );
  const { versions, different } = await compareAll(demo.dataKeys, book);
  const stored = await storedVersions(demo, book.companyId);
  demo.check(
    different.length === 0 && versions.get(1) === book.count && stored.get(1) === book.count && stored.size === 1,
    `All ${number(book.count)} rows are at version 1, and every data key has the same bytes as before.`,
    `${different.length} data keys differ; versions stored: ${JSON.stringify([...stored])}`,
  );
  const dump = await readDump(demo);
  const byFabrikam = await rowsThatOpen(demo, { host: fabrikam.vaultHost, name: fabrikam.keyName }, dump);
  demo.check(
    byFabrikam.length === 0,
    'Nothing stored opens with Fabrikam’s key: the switch left nothing behind.',
    `Fabrikam’s key opens ${byFabrikam.join(', ')}`,
  );
}

/** How many stored data keys of a company are under each version, those kept for the way back included. */
async function storedVersions({ credential }: Demo, companyId: string): Promise<ReadonlyMap<number, number>> {
  const versions = new Map<number, number>();
  const add = (version: unknown): void => {
    if (typeof version === 'number' && version > 0) versions.set(version, (versions.get(version) ?? 0) + 1);
  };
  for await (const { table, partitionKey, rowKey, cells } of dumpTables(credential)) {
    if (table !== 'datakeys' || !partitionKey.startsWith(`${companyId}|`) || rowKey.startsWith('!')) continue;
    add(cells['companyKeyVersion']);
    add(cells['previousVersion']);
  }
  return versions;
}
