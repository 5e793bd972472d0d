// Watch, scene 3: the vault answers nothing. For as long as the grace lasts callers are served, and nothing counts as revoked.
import { setTimeout as delay } from 'node:timers/promises';
import type { HealthAnswer } from '../../answers.ts';
import { CACHE_LIFETIME_MS, type Demo } from '../../demo.ts';
import { firstErrors, readSoFar, slowestMs, startHostReaders, sum, type HostReaders } from '../../host-readers.ts';
import type { KeyBook } from '../../key-book.ts';
import { readAtEach } from '../../probes.ts';
import { tellHeard } from '../../receiver.ts';
import { inWords, knownHealth, tellCheck } from '../../vault-health.ts';
import { answerAgain, fallSilent, setKeyEnabled } from '../../vault-owner.ts';
import { number, seconds } from '../../words.ts';

export const VAULT_CALL_LIMIT_MS = 2_000;
/** From then on the lifetime of every company key that the vault opened is over, and so is the first new try: what is served is bridged. */
const BRIDGED_FROM_MS = CACHE_LIFETIME_MS + VAULT_CALL_LIMIT_MS + 500;
const WATCH_MS = 14_000;
const TIMEOUT_MS = 40_000;
const LOOK_MS = 200;

interface Watched {
  readonly elapsedMs: number;
  /** Of each host, after every key of before was gone. */
  readonly bridged: readonly number[];
  /** When the API first said so. */
  readonly unreachable?: { readonly afterMs: number; readonly health: HealthAnswer };
}

export async function outage(demo: Demo, book: KeyBook): Promise<void> {
  const { screen, environment, options } = demo;
  const { contoso } = environment.customers;
  screen.section('3  Contoso’s vault falls silent: an outage, and no revocation');
  await readAtEach(demo, book);
  const readers = startHostReaders(demo, book);
  try {
    if (options.damage === 'outage') await setKeyEnabled(demo, contoso, { enabled: false });
    else await fallSilent(demo, contoso);
    const silentAt = Date.now();
    screen.done(
      `The vault takes calls and answers none. A call to it is given up after ${seconds(VAULT_CALL_LIMIT_MS)}.`,
    );
    const watched = await watch(demo, readers, silentAt);
    tell(demo, readers, watched);
    if (watched.unreachable) await tellHeard(demo, { type: 'vault.unreachable', since: silentAt });
  } finally {
    if (options.damage === 'outage') await setKeyEnabled(demo, contoso, { enabled: true });
    await answerAgain(demo);
    await readers.stop();
  }
  screen.done('The vault answers again.');
  await tellCheck(demo, contoso, 'healthy');
}

async function watch(demo: Demo, readers: HostReaders, silentAt: number): Promise<Watched> {
  const progress = demo.screen.progress(WATCH_MS);
  let before: readonly number[] | undefined;
  let unreachable: Watched['unreachable'];
  try {
    for (;;) {
      const elapsedMs = Date.now() - silentAt;
      const unwraps = readers.reports.map((report) => report.unwraps);
      if (elapsedMs >= BRIDGED_FROM_MS) before ??= unwraps;
      const health = unreachable ? undefined : await knownHealth(demo, demo.environment.customers.contoso);
      if (health?.state === 'unreachable') unreachable = { afterMs: Date.now() - silentAt, health };
      progress.update(Math.min(elapsedMs, WATCH_MS), `silent for ${seconds(elapsedMs)}: ${readSoFar(readers.reports)}`);
      if ((elapsedMs >= WATCH_MS && unreachable) || elapsedMs >= TIMEOUT_MS) {
        const bridged = unwraps.map((count, host) => count - (before?.[host] ?? 0));
        return { elapsedMs, bridged, ...(unreachable && { unreachable }) };
      }
      await delay(LOOK_MS);
    }
  } finally {
    progress.stop();
  }
}

function tell(demo: Demo, { reports }: HostReaders, { elapsedMs, bridged, unreachable }: Watched): void {
  demo.check(
    sum(reports, 'errors') === 0 && bridged.every((count) => count > 0),
    `${seconds(elapsedMs)} without an answer: ${readSoFar(reports)} on both hosts. The slowest call waited for the vault, ${seconds(slowestMs(reports))}.`,
    `In the outage: ${readSoFar(reports)}; bridged ${bridged.join(' and ')}: ${firstErrors(reports)}`,
  );
  demo.screen.detail(
    `${number(bridged.reduce((all, count) => all + count, 0))} of them after a company key’s time in memory was over: it serves on while its vault cannot be ` +
      'reached, for KEYSWITCH_OUTAGE_GRACE_SECONDS (1,800 unless set), and never over a denial. A host that starts now has no key, and refuses.',
    'quiet',
  );
  demo.check(
    unreachable !== undefined,
    `After ${seconds(unreachable?.afterMs ?? 0)} the API says: ${inWords(unreachable?.health ?? { state: '' })}, and not revoked.`,
    'The vault should be unreachable, and the API does not say so',
  );
}
