// Scene 5: the proof. Every file opens; also from a host that was started when the vendor's key was off; and the vendor's key,
// on again, opens nothing of what is stored.
import { ApiClient } from '../api-client.ts';
import { getKeyring } from '../company.ts';
import type { Demo } from '../demo.ts';
import { readDump, rowsThatOpen, VENDOR_KEK } from '../theft.ts';
import { unwrappedKeys } from '../unwrapped-keys.ts';
import { count, megabytes, number, seconds } from '../words.ts';
import { keyUrl, type DataInUse } from './data-in-use.ts';

export async function proof(demo: Demo, data: DataInUse): Promise<void> {
  const { screen, environment } = demo;
  screen.section('5  The proof');
  await openAll(demo, data, { api: demo.api, how: 'Every file opens' });

  const vendorKey = `/vaults/${VENDOR_KEK.host}/keys/${VENDOR_KEK.name}`;
  await environment.keyVault.call('PATCH', vendorKey, { enabled: false });
  try {
    screen.done(`The vendor’s key is disabled: ${keyUrl(VENDOR_KEK)}`);
    const fresh = await demo.startHost();
    const how = `With it off, a host started just now (pid ${fresh.pid}), which has nothing in memory, opens every file`;
    await openAll(demo, data, { api: new ApiClient([fresh.url]), how });
    await fresh.kill();
  } finally {
    await environment.keyVault.call('PATCH', vendorKey, { enabled: true });
  }
  await showTheftAgain(demo);
}

async function openAll(
  demo: Demo,
  { book, files }: DataInUse,
  { api, how }: { readonly api: ApiClient; readonly how: string },
): Promise<void> {
  const begun = Date.now();
  const { files: opened, bytes, wrong } = await files.open(unwrappedKeys({ ...demo.dataKeys, api }, book));
  const [first] = wrong;
  demo.check(
    first === undefined,
    `${how}: ${count(opened, 'file')}, ${megabytes(bytes)}, the same byte for byte, ` +
      `with ${number(files.keysInUse)} data keys unwrapped in ${seconds(Date.now() - begun)}.`,
    `${wrong.length} of ${opened} files did not open as they were: ${first ?? ''}`,
  );
}

async function showTheftAgain(demo: Demo): Promise<void> {
  const { contoso } = demo.environment.customers;
  const dump = await readDump(demo);
  const { candidates, companyKeyRows, rows } = dump;
  const byVendor = await rowsThatOpen(demo, VENDOR_KEK, dump);
  demo.check(
    byVendor.length === 0 && candidates.length > 0,
    `The vendor’s key is enabled again, and tried on everything in a new dump of all tables (${number(rows)} rows) that has the ` +
      `length of a wrapped key: none of ${candidates.length} opens. The same check opened all company keys before the switch.`,
    `The vendor’s key still opens ${byVendor.join(', ') || 'an unknown number: the dump holds nothing to try'}`,
  );
  const ownKey = { host: contoso.vaultHost, name: contoso.keyName };
  const byOwn = await rowsThatOpen(demo, ownKey, dump);
  demo.check(
    companyKeyRows.length > 0 && companyKeyRows.every((row) => byOwn.includes(row)),
    `Contoso’s own key opens ${byOwn.length} of ${count(companyKeyRows.length, 'company key')}: ${keyUrl(ownKey)}`,
    `Contoso’s own key should open all ${companyKeyRows.length} company keys, and opens ${byOwn.length}`,
  );
  const { provider, companyKeyVersion } = await getKeyring(demo, contoso);
  const isOwn = provider.provider === 'azure-key-vault';
  demo.check(isOwn, `The API says so too: provider ${provider.provider}, company key version ${companyKeyVersion}.`);
}
