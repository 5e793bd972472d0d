// What the two passes, a retry and an administrator make of one row. A version is that which a switch leaves, that which it leads to, or
// one kept earlier, as after a torn copy.
export const OLD = 1;
const NEW = 2;
export const KEPT = 0;
export const NONE = -1;

export type Direction = 'idle' | 'forward' | 'back';
export interface Row {
  readonly version: number;
  readonly state: 'live' | 'deleted' | 'lost' | 'tombstone';
  /** Live or deleted, but set aside for a decision. */
  readonly isQuarantined: boolean;
  /** Version of the blob kept beside it. */
  readonly former: number;
  /** It opens to other bytes. */
  readonly isWrong: boolean;
  /** It does not open. */
  readonly isBroken: boolean;
}

export const liveRow = (version: number): Row => ({
  version,
  state: 'live',
  isQuarantined: false,
  former: NONE,
  isWrong: false,
  isBroken: false,
});
const TOMBSTONE: Row = { ...liveRow(0), state: 'tombstone' };

export const targetOf = (direction: Direction): number => (direction === 'forward' ? NEW : OLD);
export const sourceOf = (direction: Direction): number =>
  direction === 'idle' ? NONE : direction === 'forward' ? OLD : NEW;

/** Neither lost nor purged. */
export const exists = ({ state }: Row): boolean => state === 'live' || state === 'deleted';
export const isInUse = (row: Row): boolean => exists(row) && !row.isQuarantined;
export const isAside = (row: Row): boolean => exists(row) && row.isQuarantined;
export const isAtTarget = (row: Row, direction: Direction): boolean =>
  exists(row) && row.version === targetOf(direction);

const whole = ({ state }: Row, version: number): Row => ({ ...liveRow(version), state });
const setAside = (row: Row): Row => ({ ...row, isQuarantined: true });

/** Wrapped anew; the blob that it came from stays beside it, or is what it goes back to. */
function moved(row: Row, target: number): Row {
  if (row.former === target) return { ...whole(row, target), isBroken: row.isBroken };
  return { ...row, version: target, former: row.version };
}

export function rewrapped(row: Row, direction: Direction): Row {
  const target = targetOf(direction);
  if (!exists(row)) return row;
  if (row.isQuarantined) {
    if (direction !== 'back') return row;
    const released = { ...row, isQuarantined: false };
    if (row.version === target) return released;
    return row.isBroken ? row : moved(released, target);
  }
  if (row.version === target) return row;
  return row.isBroken ? setAside(row) : moved(row, target);
}

/** The second pass: compares each row with the blob that it came from. */
export function verified(row: Row, direction: Direction): Row {
  if (!isInUse(row)) return row;
  const target = targetOf(direction);
  if (row.version !== target) return row.isBroken ? setAside(row) : whole(row, target);
  if (row.former === NONE) return row.isBroken && direction === 'forward' ? setAside(row) : row;
  if (row.isBroken) return setAside(row);
  return row.isWrong ? setAside(whole(row, row.former)) : { ...row, former: NONE };
}

export const retried = (row: Row, direction: Direction): Row => whole(row, targetOf(direction));
export const givenUp = (row: Row): Row => ({ ...row, state: 'lost', isQuarantined: false });
export const purged = (): Row => TOMBSTONE;

export const textOfRow = ({ version, state, isQuarantined, former, isWrong, isBroken }: Row): string =>
  `${version}${isQuarantined ? '?' : ''}${state}${former}${Number(isWrong)}${Number(isBroken)}`;
