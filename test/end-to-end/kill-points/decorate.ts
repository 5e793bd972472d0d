// Puts a decorator over every instance of an adapter's class, also over those that are made already, so that the product's own main
// module can be used as it is.

type Method = (this: unknown, ...args: unknown[]) => unknown;

const methodOf = (holder: object, name: string): Method => Reflect.get(holder, name) as Method;

/** The methods of `names` go through what `over` makes of an instance; `inner` has those of the instance as it was. */
export function decorate<Port extends object>(
  adapter: { readonly prototype: Port },
  names: readonly (keyof Port & string)[],
  over: (inner: Port) => Port,
): void {
  const { prototype } = adapter;
  const originals = names.map((name) => [name, methodOf(prototype, name)] as const);
  const decorators = new WeakMap<Port, Port>();
  const decoratorOf = (instance: Port): Port => {
    const known = decorators.get(instance);
    if (known) return known;
    const inner = originals.map(([name, method]) => [name, method.bind(instance)] as const);
    const decorator = over(Object.fromEntries(inner) as Port);
    decorators.set(instance, decorator);
    return decorator;
  };
  for (const name of names) {
    Reflect.set(prototype, name, function (this: Port, ...args: unknown[]): unknown {
      const decorator = decoratorOf(this);
      return methodOf(decorator, name).apply(decorator, args);
    });
  }
}
