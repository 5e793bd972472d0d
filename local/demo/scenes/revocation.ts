// Scene 7: the company takes its key away. Within the promised time nothing is unwrapped any more, and the API says whose move it
// is. It gives the key back, and everything goes on by itself.
import type { Failure } from '../answers.ts';
import { CACHE_LIFETIME_MS, type Demo } from '../demo.ts';
import type { KeyBook } from '../key-book.ts';
import { readAtEach, untilRefusedAtEach, untilUnwrappedAtEach } from '../probes.ts';
import { tellFailure } from '../tell-failure.ts';
import { tellCheck } from '../vault-health.ts';
import { setKeyEnabled } from '../vault-owner.ts';
import { seconds } from '../words.ts';

export async function revocation(demo: Demo, book: KeyBook): Promise<void> {
  const { screen, environment } = demo;
  const { contoso } = environment.customers;
  screen.section('7  Contoso takes its key away, and gives it back');
  await readAtEach(demo, book);
  await setKeyEnabled(demo, contoso, { enabled: false });
  try {
    const disabledAt = Date.now();
    screen.done(
      `Contoso disables its key. A company key may stay in memory for ${seconds(CACHE_LIFETIME_MS)} (a setting).`,
    );
    const stops = await untilRefusedAtEach(demo, book);
    const lastSuccessMs = Math.max(0, ...stops.map(({ lastSuccessAt }) => lastSuccessAt - disabledAt));
    const failure = stops[0]?.failure;
    demo.check(
      lastSuccessMs <= CACHE_LIFETIME_MS && failure !== undefined,
      `Unwrapping has stopped on both hosts. The last key came out ${seconds(lastSuccessMs)} after the key was disabled.`,
      `A data key was still unwrapped ${seconds(lastSuccessMs)} after the key was disabled`,
    );
    if (failure) tellRefusal(demo, failure);
    await tellCheck(demo, contoso, 'revoked');
  } finally {
    await setKeyEnabled(demo, contoso, { enabled: true });
  }
  const enabledAt = Date.now();
  await untilUnwrappedAtEach(demo, book);
  demo.check(true, `Contoso enables its key: unwrapping goes on by itself, ${seconds(Date.now() - enabledAt)} later.`);
  await tellCheck(demo, contoso, 'healthy');
}

function tellRefusal(demo: Demo, failure: Failure): void {
  tellFailure(demo, failure);
  const told = failure.code === 'key-disabled' && failure.owner === 'azure-admin';
  demo.check(
    told,
    'The API says what is wrong and whose move it is.',
    `The refusal should be key-disabled: ${failure.code}`,
  );
}
