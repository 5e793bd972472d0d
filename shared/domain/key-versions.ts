// The versions of one key: whether a newer one is followed, and when an older one is no longer needed. Pure.
import type { Wrap } from './company-key.ts';
import type { Failure } from './failure.ts';
import type { KeyDates } from './provider.ts';

/** What is known of one version of a key. */
export interface KeyVersion {
  /** Names this version only. */
  readonly keyId: string;
  readonly dates: KeyDates;
  readonly isHsm?: boolean;
  /** Why nothing new may be wrapped under it, if so. */
  readonly unfit?: Failure;
}

/** `older`: a store of the vault that is behind has answered, or a copy of the key was restored; going back would leave what was just wrapped. */
export type Newer =
  { readonly type: 'same' | 'older' | 'follow' } | { readonly type: 'not-followed'; readonly why: string };

/** Whether what the version in use wraps is wrapped under the newest one from now on. */
export function judgeNewest(inUse: KeyVersion, newest: KeyVersion): Newer {
  if (newest.keyId === inUse.keyId) return { type: 'same' };
  const [madeBefore, made] = [inUse.dates.createdAt, newest.dates.createdAt];
  if (madeBefore !== undefined && made !== undefined && made < madeBefore) return { type: 'older' };
  if (newest.unfit) return { type: 'not-followed', why: newest.unfit.message };
  if (inUse.isHsm === true && newest.isHsm !== true)
    return { type: 'not-followed', why: 'The version in use is in an HSM, and the newer one is not.' };
  return { type: 'follow' };
}

/**
 * What a check reads beside its unwrap, so that it takes two calls. `newest-first`: and the version in use only where that is another. `newest`: where
 * that one is still unfit, nothing else, since all is known of the version in use.
 */
export type ToRead = 'newest-first' | 'newest' | 'in-use';

/** A check of a vault that is well comes so often. */
const SLOT_MS = 300_000;

/** While a newer version is not followed, each of the two is read every second time. */
export function versionsToRead(
  known: { readonly isWell: boolean; readonly isNewerLeft: boolean } | undefined,
  now: Date,
): ToRead {
  if (!known?.isWell || !known.isNewerLeft) return 'newest-first';
  return Math.floor(now.getTime() / SLOT_MS) % 2 === 0 ? 'newest' : 'in-use';
}

/** A version that wrapped company keys of one connection, and wraps none since. */
export interface FormerVersion {
  readonly keyId: string;
  /** When its last wrap was replaced. */
  readonly leftAt: string;
  /** Until then, copies of the tables from before are kept, and open with this version only. */
  readonly copiesUntil: string;
}

/** A version of a key of a company's own, as one of its connections leads to it. */
interface VersionOfConnection {
  readonly connectionId: string;
  readonly keyId: string;
}

export const nameOfVersion = ({ connectionId = '', keyId }: Partial<VersionOfConnection>): string =>
  `${connectionId} ${keyId ?? ''}`;

/** Those that wrapped a company key `before`, and in `next` do not. The vendor's own are no company's to disable. */
export function versionsDropped(before: readonly Wrap[], next: readonly Wrap[]): readonly VersionOfConnection[] {
  const staying = new Set(next.map(({ ref, keyId }) => nameOfVersion({ ...ref, keyId })));
  return before.flatMap(({ ref: { connectionId }, keyId }) =>
    connectionId === undefined || staying.has(nameOfVersion({ connectionId, keyId })) ? [] : [{ connectionId, keyId }],
  );
}

/** A version that is left now; `known`: what was noted of it before. However clocks are set, copies are never said to need it less long than that. */
export function leftNow(
  keyId: string,
  { known, now, keepMs }: { readonly known: FormerVersion | undefined; readonly now: Date; readonly keepMs: number },
): FormerVersion {
  const until = new Date(now.getTime() + keepMs).toISOString();
  const copiesUntil = known && known.copiesUntil > until ? known.copiesUntil : until;
  return { keyId, leftAt: now.toISOString(), copiesUntil };
}

/** A call that read the older wrap just before it was replaced is over by then, however slow its vault was. */
export const LAST_CALLS_MS = 120_000;

/** `leaving`: nothing that is stored needs it, and calls that began before may. */
export type VersionState = 'in-use' | 'leaving' | 'not-needed';

export function stateOfVersion(
  { leftAt }: Pick<FormerVersion, 'leftAt'>,
  { isInUse, now }: { readonly isInUse: boolean; readonly now: Date },
): VersionState {
  if (isInUse) return 'in-use';
  return now.getTime() - Date.parse(leftAt) < LAST_CALLS_MS ? 'leaving' : 'not-needed';
}
