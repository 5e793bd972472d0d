// `kill -9` of the Functions host at 20 moments drawn by chance, over switches and roll-backs of three companies at once, while a reader and
// a writer go on. Nobody helps: what was under way goes on by itself, and every key that was ever handed out opens to the same bytes. Which
// stages chance has hit is told and not judged: kill-points/ dies at each of them for certain. KEYSWITCH_KILL_SEED repeats a run's choices.
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VENDOR_VAULT_HOST } from '../../local/identities.ts';
import { random } from '../fakes/faulty-tables.ts';
import { azure, Company, MANAGED } from './company.ts';
import { SHORT_LOCKS, startRun } from './harness.ts';
import { tell, until, type Run } from './run.ts';
import { expectIntact, ownKeyOf } from './intact.ts';
import { Load } from './load.ts';
import { StoredRows } from './stored-rows.ts';
import { whyBlocked } from './why-blocked.ts';

const SEED = Number(process.env['KEYSWITCH_KILL_SEED'] ?? randomInt(2 ** 31));
const KILLS = 20;
/** From this kill on two hosts are at work, and one of them dies. */
const SECOND_HOST_FROM = 10;
const COMPANIES = ['red', 'green', 'blue'];
const KEYS = 240;
/** Kills are aimed at these in turn; chance decides when exactly, and a stage that does not come is not waited for. */
const STAGES = [
  'back: first pass',
  'prepare',
  'end of cancel',
  'forward: first pass',
  'back: turn',
  'commit',
  'back: second pass',
  'forward: second pass',
  'back: first pass',
  'forward: turn',
];
const STAGE_WAIT_MS = 1_500;
const LATEST_MS = 150;
const LIMIT_MS = 900_000;

let run: Run;
let rows: StoredRows;

beforeAll(async () => {
  // On a starved machine locks run out beside the kills; what is dead-lettered has tests of its own.
  run = await startRun({
    ...SHORT_LOCKS,
    maxDeliveryCount: 1_000,
    // Whoever ends a switch claims that for two vault calls and a little: short, so that the claim of the dead is over soon.
    settings: { KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS: '3' },
  });
  rows = new StoredRows(run.credential);
});
afterAll(() => run.close());

/** One company's life: a switch there, cancelled half-way or not, a switch back, and so on. */
class Life {
  readonly company: Company;
  readonly #random: () => number;
  readonly ended: Record<string, number> = {};
  current = '';
  /** How many of its calls got through. */
  answers = 0;
  #count = 0;

  constructor(company: Company, random: () => number) {
    this.company = company;
    this.#random = random;
  }

  async live(goesOn: () => boolean): Promise<void> {
    while (goesOn()) await this.#switchOnce();
  }

  async #switchOnce(): Promise<void> {
    const { company } = this;
    this.#count += 1;
    this.current = `s${this.#count}`;
    const keyring = await this.#persist('the keyring', () =>
      company.must<{ provider: { provider: string } }>('GET', company.keyring),
    );
    const target = keyring.provider.provider === 'managed' ? azure('own') : MANAGED;
    await this.#persist('the order', async () => {
      const { status } = await company.order(this.current, target);
      expect(status).toBe(202);
    });
    if (this.#random() < 0.7) await this.#changeMind();
    const { state } = await this.#end();
    this.ended[state] = (this.ended[state] ?? 0) + 1;
  }

  /** Cancels after a while; now and then goes forward again after all. */
  async #changeMind(): Promise<void> {
    if (this.#random() < 0.8) {
      await this.#persist('rows to be moved', async () => {
        expect((await this.company.view(this.current)).state).not.toMatch(/^(pending-verification|preparing)$/);
      });
    }
    await delay(this.#random() * 900);
    await this.#tell('cancel', { accepted: 200 });
    if (this.#random() > 0.3) return;
    await delay(this.#random() * 500);
    await this.#tell('retry', { accepted: 202, body: { direction: 'forward' } });
  }

  /** It may have ended already: then it is told so. */
  async #tell(verb: string, { accepted, body }: { readonly accepted: number; readonly body?: object }): Promise<void> {
    await this.#persist(verb, async () => {
      const path = `${this.company.switchPath(this.current)}/${verb}`;
      const { companyId, run } = this.company;
      const { status } = await run.call('POST', path, { ...(body ? { body } : {}), asAdminOf: companyId });
      expect([accepted, 409]).toContain(status);
    });
  }

  /** Asks until there is an answer: the host that was asked may be dead. */
  async #persist<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const answered = (value: T): { readonly value: T } => ({ value });
    const { value } = await until(what, () => ask().then(answered, () => undefined), LIMIT_MS);
    this.answers += 1;
    return value;
  }

  async #end(): Promise<{ state: string }> {
    return until(
      `the end of ${this.company.companyId} ${this.current}`,
      async () => {
        const view = await this.company.view(this.current).catch(() => undefined);
        if (view) this.answers += 1;
        if (view?.blocked) throw new Error(await whyBlocked(run, view.blocked));
        return view && ['completed', 'cancelled'].includes(view.state) && view;
      },
      LIMIT_MS,
    );
  }
}

test(
  'killed 20 times, everything under way ends by itself and every key handed out opens to the same bytes',
  { timeout: LIMIT_MS },
  async () => {
    tell(`kill -9: seed ${SEED} (KEYSWITCH_KILL_SEED)`);
    const chance = random(SEED);
    const { keyVault, tables, customers } = run.environment;
    const companies: Company[] = [];
    for (const id of COMPANIES) {
      const company = await Company.create(run, id, KEYS);
      await company.connect(customers.contoso, { id: 'own', keyName: ownKeyOf(company) });
      companies.push(company);
    }
    // Every stage takes long enough to be hit.
    await keyVault.call('PATCH', `/vaults/${customers.contoso.vaultHost}`, { latencyMs: 40 });
    await keyVault.call('PATCH', `/vaults/${VENDOR_VAULT_HOST}`, { latencyMs: 40 });
    await tables.plant({ operation: 'batch', target: 'datakeys', effect: { delayMs: 40 } });
    const deleted = companies.flatMap((company) => [...company.keys.keys()].slice(0, 5).map((id) => ({ company, id })));
    for (const { company, id } of deleted) {
      await company.must('DELETE', `${company.keyring}/datakeys/${id}`);
    }
    const plaintexts = deleted.map(({ company, id }) => company.keys.get(id) ?? '');
    for (const { company, id } of deleted) company.keys.delete(id);

    let kills = 0;
    let starting: Promise<unknown> = Promise.resolve();
    const load = new Load(companies, random(SEED + 1));
    const hits: Record<string, number> = {};
    const goesOn = (): boolean => kills < KILLS;
    const lives = companies.map((company, index) => new Life(company, random(SEED + 2 + index)));
    const broken = new AbortController();
    const living = Promise.all(lives.map((life) => life.live(goesOn)));
    living.catch(() => broken.abort());
    for (; goesOn() && !broken.signal.aborted; kills += 1) {
      await reachStage(lives, STAGES[kills % STAGES.length] ?? '');
      await delay(chance() * LATEST_MS);
      await Promise.all([starting, everybodyGotThrough(lives, broken.signal)]);
      const { hosts } = run.environment;
      const victim = hosts[Math.floor(chance() * hosts.length)];
      await victim?.kill('SIGKILL');
      for (const stage of await stagesOf(lives)) hits[stage] = (hits[stage] ?? 0) + 1;
      starting = run.startHost();
      // One host alone is waited for; of two, the other goes on meanwhile.
      if (kills < SECOND_HOST_FROM) await starting;
      if (kills === SECOND_HOST_FROM) await run.startHost();
    }
    await Promise.all([living, starting]);
    const report = await load.stop();
    await tables.clearFaults();

    const ended = lives.map(({ company, ended }) => `${company.companyId} ${JSON.stringify(ended)}`).join(', ');
    tell(
      `${kills} kills hit: ${Object.entries(hits)
        .sort()
        .map(([stage, times]) => `${stage} ${times}`)
        .join(', ')}`,
      `switches: ${ended}; ${report.reads} reads, ${report.written} keys written, ${report.askedAgain} asked again`,
    );
    expect(report.wrong).toEqual([]);
    expect(report.reads).toBeGreaterThan(0);
    expect(report.written).toBeGreaterThan(0);
    for (const [index, { company, id }] of deleted.entries()) {
      await company.must('POST', `${company.keyring}/datakeys/${id}/restore`);
      company.keys.set(id, plaintexts[index] ?? '');
    }
    for (const company of companies) {
      await expectIntact(company, rows);
    }
  },
);

/** However slow the machine, between two kills every life gets an answer: else nobody would ever come to an end. */
async function everybodyGotThrough(lives: readonly Life[], broken: AbortSignal): Promise<void> {
  const before = lives.map(({ answers }) => answers);
  const allHave = (): boolean => lives.every(({ answers }, index) => answers > (before[index] ?? 0));
  await until('an answer for each', () => broken.aborted || allHave(), LIMIT_MS);
}

const stagesOf = (lives: readonly Life[]): Promise<string[]> =>
  Promise.all(lives.map(({ company, current }) => rows.stageOf(company.companyId, current)));

async function reachStage(lives: readonly Life[], stage: string): Promise<void> {
  const reached = async (): Promise<boolean> => (await stagesOf(lives)).includes(stage);
  await until(stage, reached, STAGE_WAIT_MS).catch(() => undefined);
}
