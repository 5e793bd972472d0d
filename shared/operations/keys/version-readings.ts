// Reads the versions of a key that a look is about, without using them: the newest once, and a version in use only where that is another one.
import type { Failure } from '../../domain/failure.ts';
import { judgeNewest, type Newer, type ToRead } from '../../domain/key-versions.ts';
import { present } from '../../domain/plain-object.ts';
import type { KeyDates, KeyTarget } from '../../domain/provider.ts';
import { err, type Result } from '../../domain/result.ts';
import type { Providers, ReadKey, ReadOptions } from '../../providers/provider.ts';
import { inUse } from './open-wrap.ts';

export interface VersionReading {
  readonly failure?: Failure;
  readonly warnings: readonly Failure[];
  readonly dates?: KeyDates;
  /** The newest is known to be unfit, and the version in use was not asked for. */
  readonly isUnread?: true;
  readonly isToBeFollowed?: boolean;
}

type Read = Result<ReadKey, Failure>;

export class VersionReadings {
  readonly #providers: Providers;
  readonly #reads: ToRead | undefined;
  readonly #rules: Pick<ReadOptions, 'minRsaBits'>;
  #newest: Read | undefined;

  /** `reads`: what a check has the calls for; without it, the version in use, and what else tells what became of it. `rules`: what the company demands of its keys; of one in force it is only warned of. */
  constructor(
    providers: Providers,
    { reads, rules }: { readonly reads: ToRead | undefined; readonly rules: Pick<ReadOptions, 'minRsaBits'> },
  ) {
    this.#providers = providers;
    this.#reads = reads;
    this.#rules = rules;
  }

  get newest(): ReadKey | undefined {
    return this.#newest?.ok ? this.#newest.value : undefined;
  }

  /** `keyId`: the version that a wrap names. What is wrong with the newest alone is no failure of it (invariant A20). */
  async read(target: KeyTarget, keyId: string): Promise<VersionReading> {
    if (this.#reads === undefined || this.#reads === 'in-use')
      return this.#judge(target, keyId, await this.#readOne(target, keyId));
    this.#newest ??= await this.#readOne(target);
    const newest = this.#newest;
    // Any other refusal is about the key as a whole: to ask again for a version would cost a second time limit.
    const isOfAnother = newest.ok ? newest.value.keyId !== keyId : newest.error.code === 'key-disabled';
    if (!isOfAnother) return this.#judge(target, keyId, newest);
    const unfit = newest.ok ? newest.value.unfit : newest.error;
    if (unfit && this.#reads === 'newest')
      return { isUnread: true, warnings: [this.#providers.of(target.ref).notFollowed(target, unfit.message)] };
    return this.#besideNewest(target, keyId, newest);
  }

  async #besideNewest(target: KeyTarget, keyId: string, newest: Read): Promise<VersionReading> {
    // Another version has its name: it is no deleted key.
    const own = await this.#readOne(target, keyId, { once: true });
    const reading = await this.#judge(target, keyId, own);
    if (!own.ok || reading.failure) return reading;
    const judged: Newer = newest.ok
      ? judgeNewest(own.value, newest.value)
      : { type: 'not-followed', why: newest.error.message };
    if (judged.type !== 'not-followed') return { ...reading, isToBeFollowed: judged.type === 'follow' };
    const notFollowed = this.#providers.of(target.ref).notFollowed(target, judged.why);
    return { ...reading, warnings: [notFollowed, ...reading.warnings] };
  }

  #readOne(target: KeyTarget, keyId?: string, how: Pick<ReadOptions, 'once'> = {}): Promise<Read> {
    const version = keyId === undefined ? {} : { keyId };
    return this.#providers.of(target.ref).read(target, { purpose: 'in-force', ...this.#rules, ...version, ...how });
  }

  async #judge(target: KeyTarget, keyId: string, key: Read): Promise<VersionReading> {
    const found = key.ok ? key.value.denials[0] : key.error;
    const failure = found && (await this.#inUse(target, keyId, found));
    const { warnings = [], dates } = key.ok ? key.value : {};
    return { warnings, ...present({ failure, dates }) };
  }

  #inUse(target: KeyTarget, keyId: string, found: Failure): Promise<Failure> {
    const provider = this.#providers.of(target.ref);
    // A check that has read this version, and asked whether the key was deleted, has no call left: the next one reads the newest first.
    const newest = this.#newest ?? (this.#reads && found.code === 'key-not-found' ? err(found) : undefined);
    return inUse(provider, target, { found, keyId, ...present({ newest }) });
  }
}
