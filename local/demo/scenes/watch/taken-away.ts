// Watch, scene 4: Contoso takes its key away, and means it.
import { CACHE_LIFETIME_MS, type Demo } from '../../demo.ts';
import type { KeyBook } from '../../key-book.ts';
import { readAtEach, untilRefusedAtEach } from '../../probes.ts';
import { tellHeard } from '../../receiver.ts';
import { tellFailure } from '../../tell-failure.ts';
import { until } from '../../until.ts';
import { inWords, knownHealth } from '../../vault-health.ts';
import { setKeyEnabled } from '../../vault-owner.ts';
import { seconds } from '../../words.ts';

const TIMEOUT_MS = 60_000;

export async function takenAway(demo: Demo, book: KeyBook): Promise<void> {
  const { screen, environment, options } = demo;
  const { contoso } = environment.customers;
  screen.section('4  Contoso takes its key away');
  await readAtEach(demo, book);
  if (options.damage !== 'revocation') await setKeyEnabled(demo, contoso, { enabled: false });
  const disabledAt = Date.now();
  screen.done('Contoso disables its key, all versions, while both hosts have the company key in memory.');
  const stops = await untilRefusedAtEach(demo, book);
  const felt = stops.map(({ lastSuccessAt }) => Math.max(0, lastSuccessAt - disabledAt));
  demo.check(
    felt.every((ms) => ms <= CACHE_LIFETIME_MS),
    `Felt on both hosts: the last data key came out after ${felt.map(seconds).join(' and ')}. Promised: ${seconds(CACHE_LIFETIME_MS)}.`,
    `A data key was still unwrapped ${felt.map(seconds).join(' and ')} after the key was disabled`,
  );
  const failure = stops[0]?.failure;
  if (failure) tellFailure(demo, failure);
  demo.check(
    stops.every((stop) => stop.failure.code === 'key-disabled' && stop.failure.owner === 'azure-admin'),
    'Every refused call says why, whose move it is, and what to do.',
    `The refusal should be key-disabled, and is ${stops.map((stop) => stop.failure.code).join(' and ')}`,
  );
  // Refused calls go on: each tells Keyswitch to look at the vault.
  const health = await until('the API says that the key is revoked', TIMEOUT_MS, async () => {
    await readAtEach(demo, book);
    const known = await knownHealth(demo, contoso);
    return known?.state === 'revoked' ? known : undefined;
  });
  screen.done(
    `After ${seconds(Date.now() - disabledAt)} the API says: ${inWords(health)}. No check had to be asked for.`,
  );
  await tellHeard(demo, { type: 'vault.revoked', since: disabledAt });
}
