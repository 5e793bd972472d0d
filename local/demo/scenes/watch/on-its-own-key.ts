// Watch, scene 1: a company whose data keys are under its own key, and its webhook.
import { askForConsent, CompanySwitch, enterConnection, failureOf, register, testConnection } from '../../company.ts';
import { generateDataKeys } from '../../data-keys.ts';
import { CACHE_LIFETIME_MS, type Demo } from '../../demo.ts';
import { KeyBook } from '../../key-book.ts';
import { goThrough } from '../../people.ts';
import { whileNothingIsTold } from '../../timers.ts';
import { count, seconds } from '../../words.ts';
import { makeWebhook } from './webhook.ts';

export async function onItsOwnKey(demo: Demo): Promise<KeyBook> {
  const { screen, environment, options } = demo;
  const { contoso } = environment.customers;
  screen.section('1  Contoso is on its own key, and its security team has a webhook');
  // A company that is seen without a webhook would be looked at for one only a minute later.
  await whileNothingIsTold(demo, async () => {
    await register(demo, contoso, 'Contoso');
    await makeWebhook(demo);
  });

  const book = new KeyBook('contoso', options.keys);
  await generateDataKeys(demo.dataKeys, book);
  await connect(demo);
  const sw = new CompanySwitch(demo, contoso, 'to-own-key');
  await sw.start();
  const { state } = await sw.until('the switch ends', ({ endedAt }) => endedAt !== undefined);
  demo.check(
    state === 'completed',
    `Contoso’s ${count(book.count, 'data key')} are under its own key, in its own vault: ${contoso.vaultUri}`,
    `The switch to Contoso’s key ended ${state}`,
  );
  screen.detail(
    `A host keeps a company key in memory for ${seconds(CACHE_LIFETIME_MS)} here (KEYSWITCH_COMPANY_KEY_TTL_SECONDS, 300 unless set).`,
    'quiet',
  );
  return book;
}

async function connect(demo: Demo): Promise<void> {
  const { contoso } = demo.environment.customers;
  const { vaultUri, keyName } = contoso;
  const refused = await enterConnection(demo, contoso, { vaultUri, keyName });
  if (refused) throw new Error(`Contoso’s connection was refused: ${refused.code}`);
  await goThrough(demo, { link: await askForConsent(demo, contoso), name: 'contoso-global-admin' });
  await contoso.grant();
  const test = await testConnection(demo, contoso);
  if (test.status !== 'green') throw new Error(`Contoso’s connection is not green: ${failureOf(test)?.code ?? ''}`);
}
