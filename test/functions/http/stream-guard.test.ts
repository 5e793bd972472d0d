import { channel } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { guardStream, type CoreApi } from '../../../functions/http/stream-guard.ts';

type Model = NonNullable<ReturnType<CoreApi['getProgrammingModel']>>;
type Invocation = ReturnType<Model['getInvocationModel']>;

interface Answer {
  headersSent: boolean;
  status?: number;
  isEnded: boolean;
}

const HTTP = { bindings: { a: { type: 'httpTrigger' }, $return: { type: 'http' } } };
const TIMER = { bindings: { a: { type: 'timerTrigger' } } };

function guarded(inner: Partial<Invocation> = {}): Model {
  const model: Model = {
    getInvocationModel: () => ({
      getArguments: () => Promise.resolve('arguments'),
      invokeFunction: () => Promise.resolve('result'),
      getResponse: () => Promise.resolve('response'),
      ...inner,
    }),
  };
  guardStream({ getProgrammingModel: () => model }, { limitMs: 30 });
  return model;
}

function arrive(id: string): Answer {
  const answer: Answer = { headersSent: false, isEnded: false };
  const response = {
    get headersSent() {
      return answer.headersSent;
    },
    writeHead: (status: number) => {
      answer.status = status;
      answer.headersSent = true;
    },
    end: () => (answer.isEnded = true),
  };
  channel('http.server.request.start').publish({ request: { headers: { 'x-ms-invocation-id': id } }, response });
  return answer;
}

test('an invocation whose request does not come fails within the limit', async () => {
  const invocation = guarded().getInvocationModel({ invocationId: 'never', metadata: HTTP });
  await expect(invocation.getArguments()).rejects.toThrow('did not pass the request of invocation never');
});

test('request and invocation find each other, whichever is first', async () => {
  const model = guarded();
  arrive('before');
  const before = model.getInvocationModel({ invocationId: 'before', metadata: HTTP });
  expect(await before.getArguments()).toBe('arguments');
  const waiting = model.getInvocationModel({ invocationId: 'after', metadata: HTTP }).getArguments();
  arrive('after');
  expect(await waiting).toBe('arguments');
});

test('what is no HTTP call waits for nothing', async () => {
  const invocation = guarded().getInvocationModel({ invocationId: 'timer', metadata: TIMER });
  expect(await invocation.getArguments()).toBe('arguments');
});

test.each(['getArguments', 'invokeFunction', 'getResponse'] as const)(
  'whoever waits for the answer of an invocation that fails in %s gets one',
  async (step) => {
    const broken = { [step]: () => Promise.reject(new Error('broken')) };
    const id = `fails-${step}`;
    const answer = arrive(id);
    const model = guarded(broken);
    const later = arrive(`${id}-2`);
    const invocation = model.getInvocationModel({ invocationId: `${id}-2`, metadata: HTTP });
    const run = async (): Promise<unknown> => {
      await invocation.getArguments();
      await invocation.invokeFunction({}, [], () => undefined);
      return await invocation.getResponse({}, {});
    };
    await expect(run()).rejects.toThrow('broken');
    expect(later).toEqual({ headersSent: true, status: 500, isEnded: true });
    expect(answer.isEnded).toBe(false);
  },
);
