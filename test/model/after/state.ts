// A keyring of one shard, and hosts that hold what they read before: caches of company keys, ETags, and plans made under them.
import { namedOnce } from '../names.ts';

/** Two of one version, made one after the other, are different keys: `made` counts them. */
export interface CompanyKey {
  readonly version: number;
  readonly made: number;
}

export interface Control {
  /** `settle`: after a repair, until every row is at the version in force. */
  readonly state: 'idle' | 'forward' | 'back' | 'settle';
  readonly lower: number;
  readonly higher: number;
  readonly active: number;
  readonly high: number;
  readonly generation: number;
  readonly keys: readonly CompanyKey[];
  readonly kept: readonly number[];
}

export interface ShardCells {
  readonly generation: number;
  readonly to: number;
  readonly phase: 'pass' | 'done';
  /** Each row's version, and which company key made it. */
  readonly rows: readonly CompanyKey[];
}
export interface Shard extends ShardCells {
  readonly etag: number;
}

/** What a host is about to write, and the ETag that it read. */
export interface Plan {
  readonly etag: number;
  readonly cells: ShardCells;
}
export interface Writer extends CompanyKey {
  readonly etag: number;
}

/** How often each may still happen. */
export interface Budget {
  readonly switches: number;
  readonly cancels: number;
  readonly forwards: number;
  readonly writes: number;
}

export interface State {
  readonly control: Control;
  readonly shard: Shard;
  readonly left: Budget;
  readonly controlCopy: Control | undefined;
  readonly shardCopy: Shard | undefined;
  /** Prepared, done and turned after a partition was copied: a region that lags has not passed the wait after it. */
  readonly preparedLate: boolean;
  readonly doneLate: boolean;
  readonly turnedLate: boolean;
  /** The disaster has been. */
  readonly isOver: boolean;
  readonly made: number;
  readonly etag: number;
  /** Of a caller's host: of each version the first company key that it met. */
  readonly cache: readonly CompanyKey[];
  readonly writer: Writer | undefined;
  /** A worker that froze before its write. */
  readonly worker: Plan | undefined;
  /** A committer that froze before its end, and the control rows as it read them. */
  readonly committer: Control | undefined;
  /** What somebody met that must not be. */
  readonly wrong: string;
}

export type Step = readonly [label: string, next: State];

/** Which company key of this version there is. */
export const madeOf = ({ keys }: Control, version: number): number | undefined =>
  keys.find((key) => key.version === version)?.made;

/** Which version the rows leave, 0 for none, and which they are moved to. */
export function versionsOf({ state, lower, higher, active }: Control): { source: number; target: number } {
  if (state === 'forward') return { source: lower, target: higher };
  if (state === 'back') return { source: higher, target: lower };
  return { source: 0, target: active };
}

const textOfKeys = (keys: readonly CompanyKey[]): string =>
  keys.map(({ version, made }) => `${version}#${made}`).join();
export const textOfControl = namedOnce<Control>(
  ({ state, lower, higher, active, high, generation, keys, kept }) =>
    `${state} ${lower} ${higher} ${active} ${high} ${generation} ${textOfKeys(keys)} ${kept.join()}`,
);
const textOfCells = ({ generation, to, phase, rows }: ShardCells): string =>
  `${generation} ${to} ${phase} ${textOfKeys(rows)}`;
const textOfShard = namedOnce<Shard>((shard) => `${shard.etag} ${textOfCells(shard)}`);
const textOfPlan = namedOnce<Plan>(({ etag, cells }) => `${etag} ${textOfCells(cells)}`);

export function nameOf(state: State): string {
  const { left, writer } = state;
  return [
    textOfControl(state.control),
    textOfShard(state.shard),
    `${left.switches},${left.cancels},${left.forwards},${left.writes}`,
    textOfControl(state.controlCopy),
    textOfShard(state.shardCopy),
    `${Number(state.preparedLate)}${Number(state.doneLate)}${Number(state.turnedLate)}${Number(state.isOver)}`,
    `${state.made} ${state.etag} ${textOfKeys(state.cache)}`,
    writer ? `${writer.etag} ${writer.version}#${writer.made}` : '',
    textOfPlan(state.worker),
    textOfControl(state.committer),
    state.wrong,
  ].join('|');
}
