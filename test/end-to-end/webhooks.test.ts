// A receiver that verifies with the library of Standard Webhooks gets every event at least once and in order, while hosts are killed under it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHORT_LOCKS, startRun } from './harness.ts';
import { until, type Run } from './run.ts';

const OWN = 'contoso.receivers.example.com';
const OF_ALL = 'vendor.receivers.example.com';
const KILLS = 3;
const ACTS_BETWEEN = 6;

let run: Run;
beforeAll(async () => {
  run = await startRun({
    ...SHORT_LOCKS,
    hosts: 2,
    settings: { KEYSWITCH_NOTIFY_SCHEDULE: '* * * * * *', KEYSWITCH_AUDIT_SCHEDULE: '*/5 * * * * *' },
  });
});
afterAll(() => run.close());

interface Event {
  readonly id: string;
  readonly sequence: number;
}

test(
  'every event arrives, in order, through kills of the host and a receiver that is away',
  { timeout: 600_000 },
  async () => {
    const { receivers } = run.environment;
    await run.call('PUT', '/companies/red', { body: { displayName: 'Red' } });
    for (const [path, host] of [
      ['/companies/red/webhooks/own', OWN],
      ['/webhooks/all', OF_ALL],
    ] as const) {
      const made = await run.call<{ verifier: string }>('PUT', path, {
        body: { url: `https://${host}/events`, types: ['*'] },
      });
      expect(made.status).toBe(201);
      receivers.trust(host, made.body.verifier);
    }
    // One receiver is away for a moment, and an answer of the other is lost: it has taken that event, and gets it again.
    receivers.control.plant({ target: OWN, skip: 2, times: 1, effect: { status: 503 } });
    receivers.control.plant({ target: OF_ALL, skip: 2, times: 1, effect: { drop: 'after-acting' } });
    const made: string[] = [];
    for (let kill = 0; kill <= KILLS; kill += 1) {
      for (let act = 0; act < ACTS_BETWEEN; act += 1) {
        const keyringId = `k${kill}-${act}`;
        await until(keyringId, async () => {
          const put = await run
            .call('PUT', `/companies/red/keyrings/${keyringId}`, { body: {} })
            .catch(() => undefined);
          return put !== undefined && put.status < 300;
        });
        made.push(keyringId);
      }
      if (kill < KILLS) {
        // The oldest is the one whose timers fire.
        await run.environment.hosts[0]?.kill('SIGKILL');
        await run.startHost();
      }
    }
    const events = await until('all events at both', async () => {
      const page = await run.call<{ value: Event[] }>('GET', '/companies/red/events?maxpagesize=1000');
      const last = page.body.value.at(-1)?.sequence;
      const isThere = (host: string): boolean =>
        receivers.taken.some((one) => one.host === host && one.data.companyId === 'red' && one.data.sequence === last);
      return isThere(OWN) && isThere(OF_ALL) && page.body.value;
    });
    expect(events.length).toBeGreaterThanOrEqual(made.length);
    for (const host of [OWN, OF_ALL]) {
      const got = receivers.taken.filter((one) => one.host === host && one.data.companyId === 'red');
      if (host === OF_ALL) expect(got.length).toBeGreaterThan(new Set(got.map(({ id }) => id)).size);
      const firsts = [...new Map(got.map((one) => [one.id, one.data.sequence ?? 0])).values()];
      // In order, nothing twice that was not sent twice, nothing left out but what was there before the webhook.
      const begun = firsts[0] ?? 0;
      expect(firsts).toEqual(events.map(({ sequence }) => sequence).filter((sequence) => sequence >= begun));
      expect(begun).toBeLessThanOrEqual(4);
    }
  },
);
