// What is stored of one keyring, as far as a copy of the tables is concerned: the company's partition, its shards, and what was copied of
// both so far. Races within one partition are not here (protocol.ts has them): each step is one whole transaction.
import { namedOnce } from '../names.ts';

/** Whose vaults wrap company keys: three, so that one can be left for good. */
export type Provider = 'A' | 'B' | 'C';
/** A key-encryption key: its provider and its version. */
export type Kek = `${Provider}${number}`;

export interface CompanyKey {
  readonly version: number;
  readonly wraps: readonly Kek[];
  /** The version whose company key it is kept under; 0 for none. */
  readonly under: number;
}

export interface Control {
  readonly state: 'idle' | 'forward' | 'back';
  /** Of the switch under way: where it leads from and to, and its two versions. */
  readonly source: Provider | '';
  readonly target: Provider | '';
  readonly lower: number;
  readonly higher: number;
  readonly active: number;
  readonly inForce: Provider;
  readonly high: number;
  readonly generation: number;
  readonly keys: readonly CompanyKey[];
  /** Of A, B and C the newest version of the KEK; older ones are disabled. */
  readonly keks: Readonly<Record<Provider, number>>;
  /** Which company of this id, counted from 0. */
  readonly life: number;
}

export interface Row {
  readonly version: number;
  /** Version of the blob kept beside it; 0 if there is none. */
  readonly former: number;
}

/** A wrap of a company key in the shard's own partition, beside `!shard`. */
export interface Beside {
  readonly version: number;
  readonly kek: Kek;
}

export interface Shard {
  readonly generation: number;
  readonly to: number;
  readonly phase: 'pass' | 'done';
  readonly rows: readonly Row[];
  readonly beside: readonly Beside[];
  readonly life: number;
}

export interface Copy {
  readonly control?: Control;
  readonly beside?: readonly Beside[];
  readonly rows?: readonly Row[];
  readonly life: number;
  /** The providers in use when the shard was copied. */
  readonly inUse: readonly Provider[];
}

/** How often each may still happen. */
export interface Budget {
  readonly switches: number;
  readonly cancels: number;
  readonly forwards: number;
  readonly writes: number;
  readonly follows: number;
  readonly remakes: number;
}

export interface State {
  readonly control: Control;
  readonly shards: readonly Shard[];
  readonly left: Budget;
  readonly copy: Copy;
  /** Versions kept since the copy began: the time that they are kept for outlasts the copy. */
  readonly young: readonly number[];
  /** A partition was copied before the prepare: a region that lags like this has not passed the wait after it. */
  readonly preparedLate: boolean;
  /** The same of the last shard that was done. */
  readonly doneLate: boolean;
}

export const providerOf = (kek: Kek): Provider => kek.charAt(0) as Provider;
export const kekOf = (control: Control, provider: Provider): Kek => `${provider}${control.keks[provider]}`;
export const keyOf = (control: Control, version: number): CompanyKey | undefined =>
  control.keys.find((key) => key.version === version);
/** Each once, in order. */
export const sorted = <T extends string | number>(list: readonly T[]): T[] =>
  [...new Set(list)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
export const copyHasBegun = ({ copy }: State): boolean => copy.control !== undefined || copy.beside !== undefined;
export const providersInUse = ({ state, inForce, source, target }: Control): readonly Provider[] =>
  state === 'idle' || source === '' || target === '' ? [inForce] : sorted([source, target]);

/** Which version the rows leave, and which they are moved to. */
export const versionsOf = ({ state, lower, higher }: Control): { source: number; target: number } =>
  state === 'forward' ? { source: lower, target: higher } : { source: higher, target: lower };
export const providerThatStays = ({ state, source, target }: Control): Provider | '' =>
  state === 'forward' ? target : source;

const textOfBeside = (list: readonly Beside[] | undefined): string =>
  list ? list.map(({ version, kek }) => `${version}${kek}`).join() : '-';
const textOfRows = (list: readonly Row[] | undefined): string =>
  list ? list.map(({ version, former }) => `${version}.${former}`).join() : '-';
const textOfControl = namedOnce<Control>((one) =>
  [
    one.state,
    `${one.source}${one.target}${one.lower}.${one.higher}`,
    `${one.active}${one.inForce}${one.high}.${one.generation}.${one.life}`,
    one.keys.map(({ version, wraps, under }) => `${version}=${wraps.join('+')}/${under}`).join(),
    Object.values(one.keks).join(),
  ].join(' '),
);
const textOfShard = namedOnce<Shard>(
  (one) => `${one.generation} ${one.to} ${one.phase} ${textOfRows(one.rows)} ${textOfBeside(one.beside)} ${one.life}`,
);

export function nameOf({ control, shards, left, copy, young, preparedLate, doneLate }: State): string {
  return [
    textOfControl(control),
    ...shards.map(textOfShard),
    Object.values(left).join(),
    textOfControl(copy.control),
    `${textOfBeside(copy.beside)} ${textOfRows(copy.rows)} ${copy.life} ${copy.inUse.join('')}`,
    `${young.join()} ${Number(preparedLate)}${Number(doneLate)}`,
  ].join('|');
}
