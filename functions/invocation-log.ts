// Log lines go to the invocation that wrote them, so that Azure shows them beside its own. Outside of any, to standard output.
// Nothing happens on import.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { InvocationContext, PreInvocationContext } from '@azure/functions';
import type { LogEntry } from '../shared/domain/ports.ts';

/** What is used of `app` from @azure/functions. */
interface HookApp {
  readonly hook: { preInvocation(handler: (context: PreInvocationContext) => void): unknown };
}

export function invocationLog(app: HookApp): (level: LogEntry['level'], line: string) => void {
  const current = new AsyncLocalStorage<InvocationContext>();
  app.hook.preInvocation((hook) => {
    const { functionHandler, invocationContext } = hook;
    hook.functionHandler = (...args): unknown =>
      current.run(invocationContext, (): unknown => functionHandler(...args));
  });
  return (level, line) => {
    const context = current.getStore();
    if (context === undefined) process.stdout.write(`${line}\n`);
    else if (level === 'error') context.error(line);
    else if (level === 'warning') context.warn(line);
    else context.info(line);
  };
}
