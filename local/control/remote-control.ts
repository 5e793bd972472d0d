// Reaches an emulator's control API from another thread or process.
import type { Fault, RequestRecord } from './control.ts';

export interface RemoteControl {
  readonly url: string;
  /** Everything asked after the request numbered `since`. */
  requests(since?: number): Promise<readonly RequestRecord[]>;
  clearRequests(): Promise<void>;
  plant(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** A call of the emulator's own: `call('PUT', '/queues/work/paused', { paused: true })`. Throws what it refuses. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
}

export function connectControl(url: string): RemoteControl {
  const call: RemoteControl['call'] = async (method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} at the control API: ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    url,
    call,
    requests: async (since = 0) => (await call('GET', `/requests?since=${since}`)) as readonly RequestRecord[],
    clearRequests: async () => {
      await call('DELETE', '/requests');
    },
    plant: async (fault) => {
      await call('POST', '/faults', fault);
    },
    clearFaults: async () => {
      await call('DELETE', '/faults');
    },
  };
}
