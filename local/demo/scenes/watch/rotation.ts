// Watch, scene 2: Contoso rotates its key. Keyswitch follows by itself, and no data key is touched.
import type { KeyVersionsAnswer } from '../../answers.ts';
import { CONNECTION_ID, getKeyring } from '../../company.ts';
import { CACHE_LIFETIME_MS, type Demo } from '../../demo.ts';
import { firstErrors, readSoFar, startHostReaders, sum } from '../../host-readers.ts';
import type { KeyBook } from '../../key-book.ts';
import { tellHeard } from '../../receiver.ts';
import { until } from '../../until.ts';
import { checkNow } from '../../vault-health.ts';
import { rotateKey, setKeyEnabled, versionIn } from '../../vault-owner.ts';
import { seconds } from '../../words.ts';

/** Besides what a company key may stay in memory. */
const SPARE_MS = 15_000;

export async function rotation(demo: Demo, book: KeyBook): Promise<void> {
  const { screen, environment, options } = demo;
  const { contoso } = environment.customers;
  screen.section('2  Contoso rotates its key');
  const readers = startHostReaders(demo, book);
  try {
    const before = await getKeyring(demo, contoso);
    const keyId = await rotateKey(demo, contoso);
    const rotatedAt = Date.now();
    if (options.damage === 'rotation')
      await setKeyEnabled(demo, contoso, { enabled: false, version: versionIn(keyId) });
    screen.done(`Contoso makes a new version, ${shown(keyId)}, as az keyvault key rotate does.`);
    screen.detail('A check sees it within five minutes by itself. The demo asks for one, POST …/check.', 'quiet');
    await checkNow(demo, contoso);
    const { versions } = await keyVersions(demo);
    const isFollowed = versions[0]?.keyId === keyId && versions[0].state === 'in-use';
    demo.check(
      isFollowed,
      `Followed after ${seconds(Date.now() - rotatedAt)}: the company key is wrapped under it, and the vault has opened that wrap.`,
      `The new version was not followed: in use is ${shown(versions[0]?.keyId ?? '')}`,
    );
    screen.table(versions.map(({ keyId: id, state, keyrings }) => [shown(id), state, keyrings.join(', ')]));
    screen.detail(
      'leaving: calls that began before may need it, for two minutes. Then it is not-needed, and Contoso may disable it.',
      'quiet',
    );
    if (!isFollowed) return;
    await tellHeard(demo, { type: 'key-version.followed', since: rotatedAt });
    await checkServes(demo, keyId);
    const after = await getKeyring(demo, contoso);
    const { reports } = readers;
    demo.check(
      after.companyKeyVersion === before.companyKeyVersion && sum(reports, 'errors') === 0,
      `No data key was touched, and both hosts went on: ${readSoFar(reports)}.`,
      `Company key version ${before.companyKeyVersion} became ${after.companyKeyVersion}; ${readSoFar(reports)}: ${firstErrors(reports)}`,
    );
  } finally {
    await readers.stop();
  }
}

async function keyVersions({ api, environment }: Demo): Promise<KeyVersionsAnswer> {
  const token = environment.tokens.companyAdmins.contoso;
  const path = `/companies/contoso/connections/${CONNECTION_ID}/key-versions`;
  return (await api.must({ token, method: 'GET', path })) as KeyVersionsAnswer;
}

/** Whatever the hosts had in memory from before is gone with the lifetime of a company key: what they open then, the new version opens. */
async function checkServes(demo: Demo, keyId: string): Promise<void> {
  const { keyVault, customers } = demo.environment;
  const target = `${customers.contoso.vaultHost}/${customers.contoso.keyName}`;
  const followed = (await keyVault.requests()).at(-1)?.sequence ?? 0;
  const settledAt = new Date(Date.now() + CACHE_LIFETIME_MS);
  const opened = await until(
    'each host opens the company key with the new version',
    CACHE_LIFETIME_MS + SPARE_MS,
    async () => {
      const asked = await keyVault.requests(followed);
      const unwraps = asked.filter((one) => one.target === target && one.operation === 'unwrapkey');
      const isOver = new Date() > settledAt && unwraps.length >= demo.api.urls.length;
      return isOver ? unwraps : undefined;
    },
  );
  const byOld = opened.filter(({ at, detail }) => new Date(at) > settledAt && detail?.['version'] !== versionIn(keyId));
  const byNew = opened.filter(({ status, detail }) => status === 200 && detail?.['version'] === versionIn(keyId));
  demo.check(
    byOld.length === 0 && byNew.length > 0,
    `${seconds(CACHE_LIFETIME_MS)} later, both hosts open the company key with the new version only.`,
    `The older version was still asked for ${byOld.length} times, the new one ${byNew.length} times`,
  );
}

const shown = (keyId: string): string => `…/${versionIn(keyId).slice(0, 8)}…`;
