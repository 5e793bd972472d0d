// Scene 7: the company takes its key away. Within the promised time nothing is unwrapped any more, and the API says whose move it
// is. It gives the key back, and everything goes on by itself.
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '../api-client.ts';
import type { Failure, HealthAnswer } from '../answers.ts';
import { CONNECTION_ID } from '../company.ts';
import { unwrapDataKeys } from '../data-keys.ts';
import { CACHE_LIFETIME_MS, type Demo } from '../demo.ts';
import type { KeyBook } from '../key-book.ts';
import { seconds } from '../words.ts';
import { tellFailure } from '../tell-failure.ts';

const PROBE_MS = 50;
const TIMEOUT_MS = 30_000;

export async function revocation(demo: Demo, book: KeyBook): Promise<void> {
  const { screen, environment } = demo;
  const { contoso } = environment.customers;
  screen.section('7  Contoso takes its key away, and gives it back');
  const key = `/vaults/${contoso.vaultHost}/keys/${contoso.keyName}`;
  await Promise.all(demo.api.urls.map((url) => readOne(demo, book, url)));
  await environment.keyVault.call('PATCH', key, { enabled: false });
  try {
    const disabledAt = Date.now();
    screen.done(
      `Contoso disables its key. A company key may stay in memory for ${seconds(CACHE_LIFETIME_MS)} (a setting).`,
    );
    const stops = await Promise.all(demo.api.urls.map((url) => untilRefused(demo, book, url)));
    const lastSuccessMs = Math.max(0, ...stops.map(({ lastSuccessAt }) => lastSuccessAt - disabledAt));
    const failure = stops[0]?.failure;
    demo.check(
      lastSuccessMs <= CACHE_LIFETIME_MS && failure !== undefined,
      `Unwrapping has stopped on both hosts. The last key came out ${seconds(lastSuccessMs)} after the key was disabled.`,
      `A data key was still unwrapped ${seconds(lastSuccessMs)} after the key was disabled`,
    );
    if (failure) tellRefusal(demo, failure);
    await tellHealth(demo, 'revoked');
  } finally {
    await environment.keyVault.call('PATCH', key, { enabled: true });
  }
  const enabledAt = Date.now();
  await Promise.all(demo.api.urls.map((url) => untilUnwrapped(demo, book, url)));
  demo.check(true, `Contoso enables its key: unwrapping goes on by itself, ${seconds(Date.now() - enabledAt)} later.`);
  await tellHealth(demo, 'healthy');
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

async function tellHealth({ api, environment, check }: Demo, expected: string): Promise<void> {
  const path = `/companies/contoso/connections/${CONNECTION_ID}/check`;
  const token = environment.tokens.companyAdmins.contoso;
  const { state, code } = (await api.must({ token, method: 'POST', path, body: {} })) as HealthAnswer;
  const because = code === undefined ? '' : ` (${code})`;
  check(
    state === expected,
    `The vault’s health: ${state}${because}.`,
    `The vault should be ${expected}, and is ${state}`,
  );
}

/** The failure, or undefined if the key came out. */
async function readOne(demo: Demo, book: KeyBook, url: string): Promise<Failure | undefined> {
  const [key] = await unwrapDataKeys({ ...demo.dataKeys, api: new ApiClient([url]) }, book, [0]);
  if (key?.plaintext !== undefined && book.isPlaintextOf(0, key.plaintext)) return undefined;
  return key?.failure ?? { code: key?.outcome ?? 'no-answer', message: 'The key did not come out.' };
}

interface Stop {
  /** When the last request that got its key was sent. */
  readonly lastSuccessAt: number;
  readonly failure: Failure;
}

async function untilRefused(demo: Demo, book: KeyBook, url: string): Promise<Stop> {
  const until = Date.now() + TIMEOUT_MS;
  let lastSuccessAt = 0;
  while (Date.now() < until) {
    const askedAt = Date.now();
    const failure = await readOne(demo, book, url);
    if (failure) return { lastSuccessAt, failure };
    lastSuccessAt = askedAt;
    await delay(PROBE_MS);
  }
  throw new Error(`unwrapping did not stop within ${seconds(TIMEOUT_MS)}`);
}

async function untilUnwrapped(demo: Demo, book: KeyBook, url: string): Promise<void> {
  const until = Date.now() + TIMEOUT_MS;
  while (await readOne(demo, book, url)) {
    if (Date.now() > until) throw new Error(`unwrapping did not go on within ${seconds(TIMEOUT_MS)}`);
    await delay(PROBE_MS);
  }
}
