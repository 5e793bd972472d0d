// What the dates of a key's version warn of: that it expires, and that it was not replaced for long. Pure. The owner's rotation policy cannot be read
// with the rights that we have (get, unwrapKey), so that a rotation is missing is judged by the dates of versions alone.
const DAY_MS = 86_400_000;

/** Warned of anew each time that one of them is passed. */
const WARN_DAYS = [1, 7, 30] as const;
export type WarnDays = (typeof WARN_DAYS)[number];

export type DateWarning =
  | { readonly about: 'expiry'; readonly within: WarnDays; readonly at: Date }
  /** `within` is 0 once it is overdue. */
  | { readonly about: 'rotation'; readonly within: WarnDays | 0; readonly at: Date };

/** `rotationDays`: how old a version may become; 0 or none: as old as it may. An expiry before that is warned of in its place. */
export function warnedOf(
  { created, expires }: { readonly created?: Date; readonly expires?: Date },
  { now, rotationDays = 0 }: { readonly now: Date; readonly rotationDays?: number },
): DateWarning | undefined {
  const due = created && rotationDays > 0 ? new Date(created.getTime() + rotationDays * DAY_MS) : undefined;
  if (expires && !(due && due < expires)) return warning('expiry', expires, now);
  if (!due) return undefined;
  return due <= now ? { about: 'rotation', within: 0, at: due } : warning('rotation', due, now);
}

/** What is past is told by other words: an expired key by its own code. */
function warning(about: DateWarning['about'], at: Date, now: Date): DateWarning | undefined {
  if (at <= now) return undefined;
  const within = WARN_DAYS.find((days) => at.getTime() - now.getTime() <= days * DAY_MS);
  return within === undefined ? undefined : { about, within, at };
}
