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

interface Visit<State> {
  readonly state: State;
  readonly from: Visit<State> | undefined;
  readonly label: string;
}

export function explore<State>(model: Model<State>, maxStates: number): Exploration {
  const seen = new Set<string>([model.name(model.initial)]);
  let frontier: Visit<State>[] = [{ state: model.initial, from: undefined, label: '' }];
  while (frontier.length > 0) {
    const next: Visit<State>[] = [];
    for (const visit of frontier) {
      for (const [label, state] of model.steps(visit.state)) {
        const name = model.name(state);
        if (seen.has(name)) continue;
        seen.add(name);
        const reached = { state, from: visit, label };
        const fault = model.fault(state);
        if (fault !== undefined) return { outcome: 'fault', states: seen.size, fault, trace: traceTo(reached) };
        next.push(reached);
      }
      if (seen.size > maxStates) return { outcome: 'cut', states: seen.size };
    }
    frontier = next;
  }
  return { outcome: 'sound', states: seen.size };
}

function traceTo<State>(visit: Visit<State>): string[] {
  const labels: string[] = [];
  for (let at = visit; at.from; at = at.from) labels.push(at.label);
  return labels.reverse();
}
