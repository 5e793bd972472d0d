// The Functions hosts of one embedded run, side by side. The oldest that lives fires the timers; when it goes, the
// next one takes over.
import { startHost, type FunctionsHost, type HostOptions } from '../functions-host/host-process.ts';

interface HostFleet {
  start(options: HostOptions): Promise<FunctionsHost>;
  readonly hosts: readonly FunctionsHost[];
  /** Lets all of them drain. */
  close(): Promise<void>;
}

export function createHostFleet(): HostFleet {
  const living: FunctionsHost[] = [];

  async function start(options: HostOptions): Promise<FunctionsHost> {
    const started = await startHost({ ...options, timers: false });
    const host: FunctionsHost = {
      ...started,
      restart: async () => {
        await started.kill('SIGKILL');
        return await start({ ...options, port: Number(new URL(started.url).port) });
      },
    };
    living.push(host);
    living[0]?.setTimers(true);
    void started.exited.then(() => {
      living.splice(living.indexOf(host), 1);
      living[0]?.setTimers(true);
    });
    return host;
  }

  return {
    start,
    hosts: living,
    close: async () => {
      await Promise.all([...living].map((host) => host.kill()));
    },
  };
}
