// The running app with a victim in it: a company whose keyring is under a key of its own vault. Attackers get tokens and
// companies of their own. Everything that is stored can be compared before and after an attempt.
import { expect } from 'vitest';
import { azure, Company } from '../end-to-end/company.ts';
import { LOG_LIMIT, startRun } from '../end-to-end/harness.ts';
import type { Run } from '../end-to-end/run.ts';
import { StoredRows } from '../end-to-end/stored-rows.ts';
import { send, type Attempt, type RawAnswer } from './raw-request.ts';
import { unchanged } from './unchanged.ts';

export type RoleName = 'VendorAdmin' | 'CompanyAdmin' | 'DataKeys' | 'Auditor';

export interface RecordedEvent {
  readonly action: string;
  readonly by: string;
  readonly from: string;
  readonly target: string;
  readonly outcome: string;
  readonly requestId: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

interface EventPage {
  readonly value: readonly RecordedEvent[];
  readonly nextLink?: string;
}

/** An admin of a company that is there, and is up to no good. */
export interface Intruder {
  readonly company: Company;
  readonly token: string;
}

/** The record of what was done and the counts of limited calls are meant to grow; timers work the agenda. */
const MAY_CHANGE = /^(events|agenda|health) |^companies \S+ (outbox|limit)\|/;

export class Scene {
  readonly run: Run;
  readonly rows: StoredRows;
  readonly victim: Company;

  private constructor(run: Run) {
    this.run = run;
    this.rows = new StoredRows(run.credential);
    this.victim = new Company(run, 'contoso');
  }

  /** `switched`: the victim's keyring is under its own vault, by the connection `azure` and the switch `s1`. */
  static async open(options: {
    readonly switched: boolean;
    readonly settings?: Readonly<Record<string, string>>;
  }): Promise<Scene> {
    const { switched, settings = {} } = options;
    const scene = new Scene(await startRun({ settings }));
    const { victim, run } = scene;
    await victim.must('PUT', victim.path, { body: { displayName: 'Contoso' } });
    await victim.generate(3);
    if (!switched) return scene;
    await victim.connect(run.environment.customers.contoso, { id: 'azure', keyName: 'contoso-key' });
    expect((await victim.switchTo('s1', azure('azure'))).state).toBe('completed');
    return scene;
  }

  close(): Promise<void> {
    return this.run.close();
  }

  /** A genuine token. Whatever it is refused is then in the chain of `company`, or in that of no company. */
  token(role: RoleName, company?: string): string {
    const named = company === undefined ? {} : { company };
    return this.run.environment.mintApiToken({ roles: [`Keyswitch.${role}`], ...named });
  }

  async intruder(companyId: string): Promise<Intruder> {
    return { company: await Company.create(this.run, companyId), token: this.token('CompanyAdmin', companyId) };
  }

  get origin(): string {
    const [host] = this.run.environment.hosts;
    if (!host) throw new Error('no host lives');
    return host.url;
  }

  /** `path` is below `/api/v1`. */
  attempt(method: string, path: string, attempt: Attempt = {}): Promise<RawAnswer> {
    return send(this.origin, method, `/api/v1${path}`, attempt);
  }

  /** Tries it, and sees it refused with that status and code. */
  async refused(
    method: string,
    path: string,
    attempt: Attempt,
    refusal: readonly [number, string],
  ): Promise<RawAnswer> {
    const answer = await this.attempt(method, path, attempt);
    expect([`${method} ${path}`, answer.status, answer.code]).toEqual([`${method} ${path}`, ...refusal]);
    return answer;
  }

  /** Sees that what is stored is the same afterwards. */
  changesNothing<T>(attempts: () => Promise<T>): Promise<T> {
    return unchanged(this.run.credential, MAY_CHANGE, attempts);
  }

  /** The event that a call left in the chain of a company, or of none. */
  async recorded({ requestId }: RawAnswer, companyId?: string): Promise<RecordedEvent> {
    const event = (await this.events(companyId)).find((one) => one.requestId === requestId);
    if (!event) throw new Error(`nothing of ${requestId} is recorded`);
    return event;
  }

  /** The refusal of a call that its caller may not make. */
  async recordedAsRefused(answer: RawAnswer, companyId?: string): Promise<RecordedEvent> {
    const event = await this.recorded(answer, companyId);
    expect([event.action, event.outcome]).toEqual(['access.refused', 'refused']);
    return event;
  }

  async events(companyId?: string): Promise<readonly RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    let path: string | undefined = companyId === undefined ? '/events' : `/companies/${companyId}/events`;
    while (path !== undefined) {
      const page: EventPage = (await this.run.call<EventPage>('GET', path)).body;
      found.push(...page.value);
      path = page.nextLink?.replace(/^.*\/api\/v1/, '');
    }
    return found;
  }

  /** A line of the log that names the call. */
  async logged({ requestId }: RawAnswer, event: string): Promise<void> {
    const says = (line: string): boolean => line.includes(requestId) && line.includes(event);
    await expect.poll(() => this.run.lines.some(says), LOG_LIMIT).toBe(true);
  }

  /** What any vault was asked during an act, each as operation and target. */
  async vaultCallsOf(act: () => Promise<unknown>): Promise<readonly string[]> {
    const { keyVault } = this.run.environment;
    const last = (await keyVault.requests()).at(-1)?.sequence ?? 0;
    await act();
    return (await keyVault.requests(last)).map(({ operation, target }) => `${operation} ${target}`);
  }
}
