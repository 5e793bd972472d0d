// For `node --import`, in a host that is measured: the redirect, and what the process itself knows of its load. Each SIGUSR2 has it print that as
// one line of JSON, of the time since the one before.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import '../../local/redirect/preload.ts';
import { peakMemoryMb } from './fresh-process.ts';

const NS_PER_MS = 1_000_000;
const RESOLUTION_MS = 5;

const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
let cpu = process.cpuUsage();
let utilization = performance.eventLoopUtilization();

process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage(cpu);
  const gauge = {
    // The timer itself waits so long each time.
    delayP99Ms: Math.max(0, delays.percentile(99) / NS_PER_MS - RESOLUTION_MS),
    delayMaxMs: Math.max(0, delays.max / NS_PER_MS - RESOLUTION_MS),
    utilization: performance.eventLoopUtilization(utilization).utilization,
    cpuMs: (user + system) / 1_000,
    // Not `resourceUsage().maxRSS`, which begins with what the parent had when it made this process.
    peakMb: peakMemoryMb(),
  };
  console.log(`gauge ${JSON.stringify(gauge)}`);
  delays.reset();
  cpu = process.cpuUsage();
  utilization = performance.eventLoopUtilization();
});
