// The vendor's backend at work while hosts die: one reader and one writer over HTTP. A key counts as handed out only if its
// answer arrived whole; an answer that breaks off is asked for again, as any client would. Every answer that does arrive is held
// against what must always be true.
import { setTimeout as delay } from 'node:timers/promises';
import type { Company, KeyOutcome } from './company.ts';

export interface LoadReport {
  readonly reads: number;
  readonly written: number;
  /** Answers that never arrived, or that said "ask again". */
  readonly askedAgain: number;
  /** What should never have been answered. */
  readonly wrong: readonly string[];
}

const KEYS_PER_READ = 10;
const KEYS_PER_WRITE = 4;
const PAUSE_MS = 60;
const PAUSE_AFTER_TROUBLE_MS = 100;

export class Load {
  readonly #companies: readonly Company[];
  readonly #random: () => number;
  readonly #pauseMs: number;
  readonly #workers: Promise<void>[];
  #stopped = false;
  #reads = 0;
  #written = 0;
  #askedAgain = 0;
  readonly #wrong: string[] = [];

  constructor(companies: readonly Company[], random: () => number, { pauseMs = PAUSE_MS } = {}) {
    this.#companies = companies;
    this.#random = random;
    this.#pauseMs = pauseMs;
    this.#workers = [this.#again((company) => this.#read(company)), this.#again((company) => this.#write(company))];
  }

  async stop(): Promise<LoadReport> {
    this.#stopped = true;
    await Promise.all(this.#workers);
    return { reads: this.#reads, written: this.#written, askedAgain: this.#askedAgain, wrong: this.#wrong };
  }

  async #again(work: (company: Company) => Promise<void>): Promise<void> {
    for (let turn = 0; !this.#stopped; turn += 1) {
      const company = this.#companies[turn % this.#companies.length];
      if (!company) return;
      try {
        await work(company);
      } catch {
        // No host, or one that died in the middle of its answer.
        this.#askedAgain += 1;
        await delay(PAUSE_AFTER_TROUBLE_MS);
      }
      await delay(this.#pauseMs);
    }
  }

  async #read(company: Company): Promise<void> {
    const ids = [...company.keys.keys()];
    const from = Math.floor(this.#random() * ids.length);
    const keyIds = ids.slice(from, from + KEYS_PER_READ);
    const { status, body } = await company.unwrap(keyIds);
    if (this.#isRefused(status, company, 'unwrap')) return;
    for (const key of body.keys) this.#judge(company, key);
    this.#reads += body.keys.length;
  }

  #judge(company: Company, key: KeyOutcome): void {
    if (key.plaintext !== undefined && key.plaintext === company.keys.get(key.keyId)) return;
    // A vault that is slow on a busy machine is told as that.
    if (key.failure?.kind === 'transient') this.#askedAgain += 1;
    else this.#wrong.push(`${company.companyId} ${key.keyId}: ${key.failure?.code ?? key.outcome}`);
  }

  async #write(company: Company): Promise<void> {
    const keys = Array.from({ length: KEYS_PER_WRITE }, () => ({}));
    const path = `${company.keyring}/datakeys`;
    const made = await company.run.call<{ keys: KeyOutcome[] }>('POST', path, { as: 'dataKeys', body: { keys } });
    if (this.#isRefused(made.status, company, 'generate')) return;
    company.remember(made.body.keys);
    this.#written += made.body.keys.filter(({ outcome }) => outcome === 'created').length;
  }

  /** 503 is "ask again"; any other refusal is wrong: nothing but hosts is taken away here. */
  #isRefused(status: number, company: Company, what: string): boolean {
    if (status === 200) return false;
    if (status === 503) this.#askedAgain += 1;
    else this.#wrong.push(`${company.companyId}: ${what} answered ${status}`);
    return true;
  }
}
