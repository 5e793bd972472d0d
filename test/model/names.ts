// Small helpers of the models: copies of lists with one place changed, and names that are made once for parts that many states share.

export const put = <T>(list: readonly T[], index: number, value: T): readonly T[] =>
  list.map((old, at) => (at === index ? value : old));

/** The same budget with one less of `what`. */
export const oneLess = <Budget extends Readonly<Record<keyof Budget, number>>>(
  left: Budget,
  what: keyof Budget,
): Budget => ({ ...left, [what]: left[what] - 1 });

/** Names a part by its own text; made once for each object, since states share the parts that a step leaves alone. */
export function namedOnce<Part extends object>(name: (part: Part) => string): (part: Part | undefined) => string {
  const names = new WeakMap<Part, string>();
  return (part) => {
    if (!part) return '';
    const known = names.get(part) ?? name(part);
    names.set(part, known);
    return known;
  };
}
