// The receiver of Contoso's webhook: what it has heard, and how that is told. It takes nothing that its secret has not signed (local/receivers).
import type { ReceivedEvent } from '../receivers/receivers.ts';
import type { Demo } from './demo.ts';
import { until } from './until.ts';
import { seconds } from './words.ts';

export const RECEIVER = 'contoso.receivers.example.com';
export const RECEIVER_URL = `https://${RECEIVER}/events`;
/** A company is told of its events up to a minute late while its first webhook is new. */
const TIMEOUT_MS = 90_000;

export const heardBy = ({ environment }: Demo, host: string): readonly ReceivedEvent[] =>
  environment.receivers.taken.filter((event) => event.host === host);

/** Waits for the receiver to have heard of it after `since`, and tells how soon that was. */
export async function tellHeard(demo: Demo, wanted: { readonly type: string; readonly since: number }): Promise<void> {
  const { type, since } = wanted;
  const event = await until(`the webhook is sent ${type}`, TIMEOUT_MS, () =>
    Promise.resolve(heardBy(demo, RECEIVER).find((one) => one.type === type && one.takenAt.getTime() >= since)),
  );
  const { code } = event.data;
  const what = code === undefined ? type : `${type} (${code})`;
  demo.check(true, `Contoso’s receiver heard of it after ${seconds(event.takenAt.getTime() - since)}: ${what}.`);
}
