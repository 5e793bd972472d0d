// Load over HTTP on connections that are kept: closed (each connection asks again as soon as it is answered) or open (so many calls
// a second, however long they take). Any answer but 200 ends a closed one; an open one, and one of several kinds of calls, counts it.
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Target {
  readonly url: string;
  readonly token: string;
  /** The body of the n-th call. */
  readonly body: (n: number) => string;
}

/** Calls per second of `connections` that never rest. `target`: of the n-th call, if not of all. */
export async function closedLoad(
  target: Target | ((n: number) => Target),
  options: { readonly connections: number; readonly calls: number },
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  let next = 0;
  const connection = async (): Promise<void> => {
    while (next < options.calls) {
      const n = next++;
      await ask(typeof target === 'function' ? target(n) : target, agent, n);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: options.connections }, connection));
  const seconds = (performance.now() - begun) / 1000;
  agent.destroy();
  return options.calls / seconds;
}

/** Calls of one kind: how long each that was answered took, in ms, how many were turned away (503), and how many were answered anything else. */
export interface Answered {
  readonly latenciesMs: number[];
  turnedAway: number;
  errors: number;
}

/**
 * Calls of several kinds, in turn as `kinds` lists them, on connections that never rest but after they were turned away: then for as long as
 * they were told.
 */
export async function mixedLoad<K extends string>(
  targets: Readonly<Record<K, Target>>,
  options: { readonly kinds: readonly K[]; readonly connections: number; readonly seconds: number },
): Promise<Readonly<Partial<Record<K, Answered>>>> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const answered: Partial<Record<K, Answered>> = {};
  const until = performance.now() + options.seconds * 1000;
  let next = 0;
  const connection = async (): Promise<void> => {
    while (performance.now() < until) {
      const n = next++;
      const kind = options.kinds[n % options.kinds.length];
      if (kind === undefined) return;
      const so = (answered[kind] ??= { latenciesMs: [], turnedAway: 0, errors: 0 });
      const begun = performance.now();
      try {
        await ask(targets[kind], agent, n);
        so.latenciesMs.push(performance.now() - begun);
      } catch (error) {
        if (!(error instanceof TurnedAway)) so.errors += 1;
        else {
          so.turnedAway += 1;
          await delay(Math.min(error.retryAfterMs, Math.max(0, until - performance.now())));
        }
      }
    }
  };
  await Promise.all(Array.from({ length: options.connections }, connection));
  agent.destroy();
  return answered;
}

class TurnedAway extends Error {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('answered 503');
    this.retryAfterMs = retryAfterMs;
  }
}

/** How long each call took, in ms, from the moment at which it was due. `while` says whether to go on. */
export async function openLoad(
  target: Target,
  options: { readonly callsPerSecond: number; readonly while: (calls: number) => boolean },
): Promise<{ readonly latenciesMs: readonly number[]; readonly errors: number }> {
  const agent = new Agent({ keepAlive: true });
  const latenciesMs: number[] = [];
  let errors = 0;
  const underWay: Promise<void>[] = [];
  const begun = performance.now();
  for (let n = 0; options.while(n); n += 1) {
    const due = begun + (n * 1000) / options.callsPerSecond;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    const call = ask(target, agent, n).then(
      () => void latenciesMs.push(performance.now() - due),
      () => void (errors += 1),
    );
    underWay.push(call);
  }
  await Promise.all(underWay);
  agent.destroy();
  return { latenciesMs, errors };
}

export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
  if (at === undefined) throw new Error('no samples');
  return at;
}

function ask(target: Target, agent: Agent, n: number): Promise<void> {
  const body = target.body(n);
  const headers = {
    authorization: `Bearer ${target.token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(target.url, { method: 'POST', agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (answer.statusCode === 200 && !text.includes('"failure"') && text.includes('"plaintext"')) resolve();
        else if (answer.statusCode === 503) reject(new TurnedAway(Number(answer.headers['retry-after'] ?? 1) * 1000));
        else reject(new Error(`answered ${answer.statusCode ?? 0}: ${text.slice(0, 200)}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
