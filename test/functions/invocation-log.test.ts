import type { InvocationContext, PreInvocationContext } from '@azure/functions';
import { expect, test } from 'vitest';
import { invocationLog } from '../../functions/invocation-log.ts';

test('a line goes to the invocation that wrote it, however invocations overlap', async () => {
  let hook: ((context: PreInvocationContext) => void) | undefined;
  const sink = invocationLog({ hook: { preInvocation: (handler) => (hook = handler) } });
  const written: string[] = [];
  const invoke = async (name: string, level: 'info' | 'warning' | 'error'): Promise<void> => {
    const to =
      (method: string) =>
      (line: string): void =>
        void written.push(`${name} ${method} ${line}`);
    const invocationContext = {
      info: to('info'),
      warn: to('warn'),
      error: to('error'),
    } as unknown as InvocationContext;
    const context = {
      invocationContext,
      functionHandler: async () => {
        await Promise.resolve();
        sink(level, 'line');
      },
    } as unknown as PreInvocationContext;
    hook?.(context);
    await context.functionHandler(undefined, invocationContext);
  };
  await Promise.all([invoke('a', 'info'), invoke('b', 'warning'), invoke('c', 'error')]);
  expect(written.sort()).toEqual(['a info line', 'b warn line', 'c error line']);
});
