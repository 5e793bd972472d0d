// Runs an emulator in a thread of its own. It is then reached by its ports only: the control API takes the place of
// its Control object.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { connectControl, type RemoteControl } from '../control/remote-control.ts';

/** What every emulator's start function gives, as far as it can leave its thread. */
interface WorkerEmulator {
  readonly port: number;
  readonly control: RemoteControl;
  close(): Promise<void>;
}

export interface WorkerTask {
  /** File URL of the module that exports the start function. */
  readonly module: string;
  readonly start: string;
  /** Structured-cloneable. */
  readonly options: unknown;
}

export interface WorkerStarted {
  readonly port: number;
  readonly controlUrl: string;
}

const MAIN = new URL('worker-main.ts', import.meta.url);

export async function startInWorker(task: WorkerTask): Promise<WorkerEmulator> {
  const worker = new Worker(MAIN, { workerData: task });
  // A crash while starting rejects here; a later one is an `error` event that nobody hears, and ends this process.
  const [started] = (await once(worker, 'message')) as [WorkerStarted];
  return {
    port: started.port,
    control: connectControl(started.controlUrl),
    close: async () => {
      const exited = once(worker, 'exit');
      worker.postMessage('close');
      await exited;
    },
  };
}
