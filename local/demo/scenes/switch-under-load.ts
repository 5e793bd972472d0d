// Scene 3: the switch, while a reader keeps unwrapping, and a host process is killed half-way and comes back.
import { setTimeout as delay } from 'node:timers/promises';
import type { SwitchAnswer } from '../answers.ts';
import { CompanySwitch, stuckReason } from '../company.ts';
import type { FunctionsHost } from '../../functions-host/host-process.ts';
import type { Demo } from '../demo.ts';
import { holdHalfWay, LARGE_SWITCH_KEYS } from '../half-way.ts';
import type { KeyBook } from '../key-book.ts';
import { startReader, type Reader, type ReaderReport } from '../reader.ts';
import { number, seconds } from '../words.ts';

export interface SwitchReport {
  readonly keys: number;
  readonly elapsedMs: number;
  readonly reader: ReaderReport;
  /** Of the key-vault emulator's request log: the last request before the switch. */
  readonly firstRequest: number;
  readonly createdAt: Date;
  readonly endedAt: Date;
  readonly hostProcesses: number;
}

const POLL_MS = 100;
const DOWN_MS = 1_000;
const TIMEOUT_MS = 120_000;
const TIMEOUT_PER_KEY_MS = 10;

export async function switchUnderLoad(demo: Demo, book: KeyBook): Promise<SwitchReport> {
  const { screen, environment } = demo;
  screen.section('3  The switch, with the product in use and a host killed half-way');
  const sw = new CompanySwitch(demo, environment.customers.contoso, 'to-own-key');
  const firstRequest = (await environment.keyVault.requests()).at(-1)?.sequence ?? 0;
  const small = book.count < LARGE_SWITCH_KEYS;
  if (small) screen.say('So few keys move in a moment: some writes are held back once, for a second.', 'quiet');
  const hold = small ? await holdHalfWay(environment, book.count) : undefined;
  const reader = startReader(demo.dataKeys, book);
  const started = await sw.start();
  const kill = new HostKill(demo);
  const ended = await watch(demo, { sw, reader, total: book.count, halfWay: () => kill.happen() });
  await hold?.release();
  const pids = await kill.back();
  const report = await reader.stop();
  const createdAt = new Date(started.createdAt);
  const endedAt = new Date(ended.endedAt ?? NaN);
  const elapsedMs = endedAt.getTime() - createdAt.getTime();
  demo.check(
    ended.state === 'completed' && ended.counts.total === book.count,
    `All ${number(ended.counts.total)} data keys are under Contoso’s own key, after ${seconds(elapsedMs)}. Nobody had to help.`,
    `The switch ended ${ended.state} with ${ended.counts.total} of ${book.count} data keys`,
  );
  demo.check(
    pids !== undefined,
    `In the middle of it host ${pids?.killed ?? 0} was killed with kill -9; a second later a new one, ${pids?.back ?? 0}, took its place.`,
    'The switch was over before a host was killed',
  );
  tellReader(demo, report);
  const hostProcesses = demo.hosts.length;
  return { keys: book.count, elapsedMs, reader: report, firstRequest, createdAt, endedAt, hostProcesses };
}

/** Kills the second host once, and starts it again a moment later, while everything goes on. */
class HostKill {
  readonly #demo: Demo;
  #victim: FunctionsHost | undefined;
  #backAgain: Promise<FunctionsHost> | undefined;

  constructor(demo: Demo) {
    this.#demo = demo;
  }

  async happen(): Promise<void> {
    const victim = this.#demo.hosts[1];
    if (this.#backAgain || !victim) return;
    const bringBack = await this.#demo.kill(victim);
    this.#backAgain = delay(DOWN_MS).then(bringBack);
    // Whoever waits for it is told; until then it must not end the process.
    this.#backAgain.catch(() => undefined);
    this.#victim = victim;
  }

  /** Waits for it to be back. Answers the process killed and the one in its place. */
  async back(): Promise<{ readonly killed: number; readonly back: number } | undefined> {
    const host = await this.#backAgain;
    return host && this.#victim && { killed: this.#victim.pid, back: host.pid };
  }
}

interface Watching {
  readonly sw: CompanySwitch;
  readonly reader: Reader;
  readonly total: number;
  readonly halfWay: () => Promise<void>;
}

/** The last state of the switch. Throws if it cannot end by itself. */
async function watch({ screen }: Demo, { sw, reader, total, halfWay }: Watching): Promise<SwitchAnswer> {
  // Every key is worked on twice: re-protected, then opened anew and compared.
  const progress = screen.progress(2 * total);
  const until = Date.now() + TIMEOUT_MS + total * TIMEOUT_PER_KEY_MS;
  let remark = '';
  try {
    for (;;) {
      const now = await sw.get();
      const stuck = stuckReason(now);
      if (stuck !== undefined) throw new Error(stuck);
      const { done, checked } = now.counts;
      const hasEnded = now.state === 'completed' || now.state === 'cancelled';
      if (!hasEnded && done >= total / 2) {
        await halfWay();
        remark = ' · host killed';
      }
      progress.update(hasEnded ? 2 * total : done + checked, `${noteOf(now, reader)}${remark}`);
      if (hasEnded) return now;
      if (Date.now() > until) throw new Error(`the switch did not end: ${JSON.stringify(now.counts)}`);
      await delay(POLL_MS);
    }
  } finally {
    progress.stop();
  }
}

function noteOf({ counts, state, ratePerSecond, secondsLeft }: SwitchAnswer, reader: Reader): string {
  const { unwraps, errors } = reader.report;
  const read = `${number(unwraps)} read, ${errors} errors`;
  if (state === 'completed') return `${number(counts.done)} moved, all opened again and compared · ${read}`;
  const rate = ratePerSecond === undefined ? '' : ` · ${number(ratePerSecond)}/s`;
  const left = secondsLeft === undefined ? '' : ` · ${Math.ceil(secondsLeft)} s left`;
  return `${number(counts.done)} moved, ${number(counts.checked)} compared${rate}${left} · ${read}`;
}

function tellReader({ check, screen }: Demo, report: ReaderReport): void {
  const { unwraps, calls, errors, descriptions, brokenConnections, slowestMs, versions } = report;
  const old = versions.get(1) ?? 0;
  check(
    errors === 0 && unwraps > 0,
    `Meanwhile the product unwrapped ${number(unwraps)} data keys in ${number(calls)} calls and compared each with the original: ` +
      `0 errors. ${number(old)} were still under the old company key, ${number(unwraps - old)} under the new one; ` +
      `the slowest call took ${number(slowestMs)} ms.`,
    `The reader met ${errors} errors in ${unwraps} unwraps: ${descriptions.join('; ')}`,
  );
  screen.detail(
    'An error would be any answer but the right key, or no host left to ask. ' +
      `${brokenConnections} connections to the killed host were refused or broke; the client asked the other host, as behind a load balancer.`,
    'quiet',
  );
}
