// What a host says of its own load (gauge-preload.ts).
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FunctionsHost, HostProgram } from '../../local/functions-host/host-process.ts';

/** Of the time since it was last asked; `peakMb` of the whole life of the process. */
export interface Gauge {
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  /** Of the event loop, from 0 to 1. */
  readonly utilization: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

/** A host that can be asked. */
export const GAUGED: HostProgram = {
  main: fileURLToPath(new URL('../../local/functions-host/main.ts', import.meta.url)),
  preload: new URL('gauge-preload.ts', import.meta.url).href,
};

const PREFIX = 'gauge ';
const POLL_MS = 5;
const LIMIT_MS = 10_000;

export async function readGauge(host: Pick<FunctionsHost, 'pid' | 'lines'>): Promise<Gauge> {
  const from = host.lines.length;
  process.kill(host.pid, 'SIGUSR2');
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += POLL_MS) {
    await delay(POLL_MS);
    const line = host.lines.slice(from).find((each) => each.includes(PREFIX));
    if (line !== undefined) return JSON.parse(line.slice(line.indexOf(PREFIX) + PREFIX.length)) as Gauge;
  }
  throw new Error('the host does not say how it is');
}
