// The other end of start-in-worker.ts: starts one emulator in this thread and closes it when told.
import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerStarted, WorkerTask } from './start-in-worker.ts';

interface Started extends WorkerStarted {
  close(): Promise<void>;
}

const { module, start, options } = workerData as WorkerTask;
const exported = (await import(module)) as Record<string, (options: unknown) => Promise<Started>>;
const emulator = await exported[start]?.(options);
if (!emulator) throw new Error(`${module} has no ${start}`);
const { port, controlUrl } = emulator;
parentPort?.once('message', () => {
  void emulator.close().then(() => process.exit());
});
parentPort?.postMessage({ port, controlUrl } satisfies WorkerStarted);
