// Scene 4: the switch, while a reader keeps unwrapping, a host process is killed half-way and comes back, and one more tenant is found,
// for which the switch waits at its end.
import { setTimeout as delay } from 'node:timers/promises';
import type { SwitchAnswer } from '../answers.ts';
import { getKeyring, registerTenant, stuckReason, type CompanySwitch } from '../company.ts';
import { RESEARCH, WORKSPACE } from '../data-tenants.ts';
import type { FunctionsHost } from '../../functions-host/host-process.ts';
import type { Demo } from '../demo.ts';
import { holdHalfWay, type Hold } from '../half-way.ts';
import type { KeyBook } from '../key-book.ts';
import { tellVisit } from '../people.ts';
import { startReader, type Reader, type ReaderReport } from '../reader.ts';
import { count, number, seconds } from '../words.ts';
import { waitsFor, type OrderedSwitch } from './approvals.ts';

export interface SwitchReport {
  readonly keys: number;
  /** From the last approval at the beginning until every data key was moved and compared. */
  readonly workMs: number;
  readonly reader: ReaderReport;
  /** Of the key-vault emulator's request log: the last request before the switch. */
  readonly firstRequest: number;
  /** When it was about to be approved. */
  readonly begunAt: Date;
  readonly endedAt: Date;
  readonly hostProcesses: number;
}

const POLL_MS = 100;
const DOWN_MS = 1_000;
/** For how long the reader is watched while the switch waits, and how long its next answer may take. */
const WAITING_MS = 1_000;
const ANSWER_LIMIT_MS = 20_000;
const TIMEOUT_MS = 120_000;
const TIMEOUT_PER_KEY_MS = 10;

export async function switchUnderLoad(
  demo: Demo,
  book: KeyBook,
  { sw, firstRequest, lastLink }: OrderedSwitch,
): Promise<SwitchReport> {
  const { screen, environment } = demo;
  const { contoso } = environment.customers;
  screen.section('4  The switch, with the product in use and a host killed half-way');
  screen.say(
    'Half-way its writes are held back for a moment, so that a host can be killed in the middle of them.',
    'quiet',
  );
  const hold = await holdHalfWay(environment, book.count);
  const reader = startReader(demo.dataKeys, book);
  const begunAt = new Date();
  await tellVisit(demo, {
    link: lastLink,
    name: 'contoso-google-super-admin',
    as: `Super Admin of ${WORKSPACE.shownAs}`,
  });
  const approvedAt = Date.now();
  screen.done('That was the last: the switch goes on by itself.');
  const kill = new HostKill(demo);
  const halfWay = async (): Promise<void> => {
    await registerTenant(demo, contoso, RESEARCH);
    await kill.happen();
    await hold.release();
  };
  const moved = await watch(demo, { sw, reader, total: book.count, hold, halfWay });
  const workMs = Date.now() - approvedAt;
  await tellKill(demo, kill);
  await tellWait(demo, { moved, reader });
  const peter = {
    name: 'contoso-research-privileged-role-admin',
    as: `Privileged Role Administrator of ${RESEARCH.shownAs}`,
  };
  await tellVisit(demo, { link: await sw.askForApproval(RESEARCH), ...peter });
  const ended = await untilEnded(sw);
  const report = await reader.stop();
  demo.check(
    ended.state === 'completed' && ended.counts.total === book.count,
    `All ${number(ended.counts.total)} data keys are under Contoso’s own key, moved within ${seconds(workMs)}. Nobody had to help.`,
    `The switch ended ${ended.state} with ${ended.counts.total} of ${book.count} data keys`,
  );
  tellReader(demo, report);
  const endedAt = new Date(ended.endedAt ?? NaN);
  return { keys: book.count, workMs, reader: report, firstRequest, begunAt, endedAt, hostProcesses: demo.hosts.length };
}

/** Kills the second host, and starts it again a moment later, while everything goes on. */
class HostKill {
  readonly #demo: Demo;
  #victim: FunctionsHost | undefined;
  #backAgain: Promise<FunctionsHost> | undefined;

  constructor(demo: Demo) {
    this.#demo = demo;
  }

  async happen(): Promise<void> {
    const victim = this.#demo.hosts[1];
    if (!victim) return;
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

async function tellKill(demo: Demo, kill: HostKill): Promise<void> {
  const pids = await kill.back();
  demo.check(
    pids !== undefined,
    `In the middle of it host ${pids?.killed ?? 0} was killed with kill -9; a second later a new one, ${pids?.back ?? 0}, took its place.`,
    'The switch was over before a host was killed',
  );
}

/** A tenant that was found half-way: everything has moved, and nothing is handed over. */
async function tellWait(
  demo: Demo,
  { moved, reader }: { readonly moved: SwitchAnswer; readonly reader: Reader },
): Promise<void> {
  const before = reader.report.unwraps;
  const begun = Date.now();
  do await delay(WAITING_MS);
  while (reader.report.unwraps === before && Date.now() - begun < ANSWER_LIMIT_MS);
  const watchedMs = Date.now() - begun;
  const { provider } = await getKeyring(demo, demo.environment.customers.contoso);
  demo.check(
    moved.state === 're-protecting' && waitsFor(moved, [RESEARCH]) && provider.provider === 'managed',
    `Half-way, too, the vendor found data of one more tenant, ${RESEARCH.shownAs}. So the switch, with everything moved, waits: ` +
      `${moved.waitsFor?.reason ?? ''}. The key in force is still the vendor’s.`,
    `The switch should wait for ${RESEARCH.shownAs}, and is ${moved.state}; provider ${provider.provider}`,
  );
  const { errors } = reader.report;
  const unwraps = reader.report.unwraps - before;
  demo.check(
    unwraps > 0 && errors === 0,
    `While it waits, everything can be read: ${count(unwraps, 'unwrap')} in ${seconds(watchedMs)}.`,
    `While the switch waits, the reader met ${errors} errors in ${unwraps} unwraps`,
  );
}

interface Watching {
  readonly sw: CompanySwitch;
  readonly reader: Reader;
  readonly total: number;
  readonly hold: Hold;
  readonly halfWay: () => Promise<void>;
}

/** Until it has ended, or has nothing left to do but to wait for a tenant. Throws if it cannot end by itself. */
async function watch({ screen }: Demo, { sw, reader, total, hold, halfWay }: Watching): Promise<SwitchAnswer> {
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
      const isOver = hasEnded(now) || (now.state === 're-protecting' && now.waitsFor !== undefined);
      if (remark === '' && (await hold.isReached())) {
        await halfWay();
        remark = ' · host killed';
      }
      progress.update(isOver ? 2 * total : done + checked, `${noteOf(now, { reader, isOver })}${remark}`);
      if (isOver) return now;
      if (Date.now() > until) throw new Error(`the switch did not end: ${JSON.stringify(now.counts)}`);
      await delay(POLL_MS);
    }
  } finally {
    progress.stop();
  }
}

async function untilEnded(sw: CompanySwitch): Promise<SwitchAnswer> {
  const until = Date.now() + TIMEOUT_MS;
  for (;;) {
    const now = await sw.get();
    if (hasEnded(now)) return now;
    if (Date.now() > until) throw new Error(`the switch stays ${now.state}`);
    await delay(POLL_MS);
  }
}

const hasEnded = ({ state }: SwitchAnswer): boolean => state === 'completed' || state === 'cancelled';

function noteOf(
  { counts, ratePerSecond, secondsLeft }: SwitchAnswer,
  { reader, isOver }: { readonly reader: Reader; readonly isOver: boolean },
): string {
  const { unwraps, errors } = reader.report;
  const read = `${number(unwraps)} read, ${errors} errors`;
  if (isOver) return `${number(counts.done)} moved, all opened again and compared · ${read}`;
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
