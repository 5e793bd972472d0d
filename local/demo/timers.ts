// The timers of the hosts, of which the oldest fires them, held for a moment.
import type { Demo } from './demo.ts';
import { until } from './until.ts';

const TIMEOUT_MS = 30_000;
const TIMER_RUNNING = 409;
const RUN = '/operations/timers/notifications/run';

/** Does `work` while no webhook is told of anything. */
export async function whileNothingIsTold({ environment, api }: Demo, work: () => Promise<void>): Promise<void> {
  for (const host of environment.hosts) host.setTimers(false);
  // A turn that was under way is over once another can be run from its beginning to its end.
  await until('no timer is at work', TIMEOUT_MS, async () => {
    const token = environment.tokens.vendorAdmin;
    const { status, body } = await api.call({ token, method: 'POST', path: RUN });
    if (status !== 200 && status !== TIMER_RUNNING)
      throw new Error(`${RUN} answered ${status}: ${JSON.stringify(body)}`);
    return status === 200 ? true : undefined;
  });
  await work();
  environment.hosts[0]?.setTimers(true);
}
