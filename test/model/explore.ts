// Breadth-first search through every state that a model can reach. Knows no model. The first bad state found is as near to the
// start as any, so the trace to it is a shortest one.

export interface Model<State> {
  readonly initial: State;
  /** Two states with the same name are the same. */
  readonly name: (state: State) => string;
  /** Every step that anybody could take next, with a line that says who does what. */
  readonly steps: (state: State) => Iterable<readonly [label: string, next: State]>;
  /** What is wrong with a state, if anything. */
  readonly fault: (state: State) => string | undefined;
}

export type Exploration =
  | { readonly outcome: 'sound'; readonly states: number }
  | { readonly outcome: 'cut'; readonly states: number }
  | { readonly outcome: 'fault'; readonly states: number; readonly fault: string; readonly trace: readonly string[] };

/** How a state was reached. States themselves are forgotten once their steps were taken. */
interface Way {
  readonly from: Way | undefined;
  readonly label: string;
}

export function explore<State>(model: Model<State>, maxStates: number): Exploration {
  const seen = new Set<string>([model.name(model.initial)]);
  let frontier: { readonly state: State; readonly way: Way | undefined }[] = [{ state: model.initial, way: undefined }];
  while (frontier.length > 0) {
    const next: typeof frontier = [];
    for (const { state: before, way: from } of frontier) {
      for (const [label, state] of model.steps(before)) {
        const name = model.name(state);
        if (seen.has(name)) continue;
        seen.add(name);
        const way = { from, label };
        const fault = model.fault(state);
        if (fault !== undefined) return { outcome: 'fault', states: seen.size, fault, trace: traceTo(way) };
        next.push({ state, way });
      }
      if (seen.size > maxStates) return { outcome: 'cut', states: seen.size };
    }
    frontier = next;
  }
  return { outcome: 'sound', states: seen.size };
}

function traceTo(last: Way): string[] {
  const labels: string[] = [];
  for (let way: Way | undefined = last; way; way = way.from) labels.push(way.label);
  return labels.reverse();
}
