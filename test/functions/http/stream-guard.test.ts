import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { guardStream, type CoreApi } from '../../../functions/http/kernel/stream-guard.ts';

type Model = NonNullable<ReturnType<CoreApi['getProgrammingModel']>>;
type Invocation = ReturnType<Model['getInvocationModel']>;

interface Answer {
  headersSent: boolean;
  status?: number;
  isEnded: boolean;
}

const request = {};
const HTTP = { bindings: { a: { type: 'httpTrigger' }, $return: { type: 'http' } } };
const TIMER = { bindings: { a: { type: 'timerTrigger' } } };

/** One for all, as in the app: a guard listens to every server of its process. */
let broken: Partial<Invocation> = {};
const model: Model = {
  getInvocationModel: () => ({
    getArguments: () => Promise.resolve('arguments'),
    invokeFunction: () => Promise.resolve('result'),
    getResponse: () => Promise.resolve('response'),
    ...broken,
  }),
};
guardStream({ getProgrammingModel: () => model }, { limitMs: 30 });

function guarded(inner: Partial<Invocation> = {}): Model {
  broken = inner;
  return model;
}

/** The library's server, and what has come to it. */
const server = new EventEmitter();
const handedOn: string[] = [];
const asLibrary = ({ headers }: { headers: Record<string, string> }): void => {
  handedOn.push(headers['x-ms-invocation-id'] ?? '');
};
server.on('request', asLibrary);

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
  const headers = { 'x-ms-invocation-id': id };
  const request = { headers, headersDistinct: { 'x-ms-invocation-id': [id] }, resume: () => undefined };
  channel('http.server.request.start').publish({ request, response, server });
  server.emit('request', request, response);
  return answer;
}

test('an invocation whose request does not come fails within the limit', async () => {
  const invocation = guarded().getInvocationModel({ invocationId: 'never', request, metadata: HTTP });
  await expect(invocation.getArguments()).rejects.toThrow('did not pass the request of invocation never');
});

test('request and invocation find each other, whichever is first', async () => {
  const model = guarded();
  arrive('before');
  const before = model.getInvocationModel({ invocationId: 'before', request, metadata: HTTP });
  expect(await before.getArguments()).toBe('arguments');
  const waiting = model.getInvocationModel({ invocationId: 'after', request, metadata: HTTP }).getArguments();
  arrive('after');
  expect(await waiting).toBe('arguments');
});

test('a request that no invocation fetches is answered within the limit, and the library is never given it', async () => {
  const [first, again] = [arrive('chosen'), arrive('chosen')];
  expect(first).toEqual({ headersSent: true, status: 400, isEnded: true });
  await expect.poll(() => again, { timeout: 20_000 }).toEqual({ headersSent: true, status: 400, isEnded: true });
  expect(handedOn).not.toContain('chosen');
});

test('the library is given a request once an invocation fetches it', async () => {
  const model = guarded();
  arrive('fetched');
  expect(handedOn).not.toContain('fetched');
  await model.getInvocationModel({ invocationId: 'fetched', request, metadata: HTTP }).getArguments();
  expect(handedOn).toContain('fetched');
});

test('what is no HTTP call waits for nothing', async () => {
  const invocation = guarded().getInvocationModel({ invocationId: 'timer', request, metadata: TIMER });
  expect(await invocation.getArguments()).toBe('arguments');
});

test.each(['getArguments', 'invokeFunction', 'getResponse'] as const)(
  'whoever waits for the answer of an invocation that fails in %s gets one',
  async (step) => {
    const breaking = { [step]: () => Promise.reject(new Error('broken')) };
    const id = `fails-${step}`;
    const answer = arrive(id);
    const model = guarded(breaking);
    const later = arrive(`${id}-2`);
    const invocation = model.getInvocationModel({ invocationId: `${id}-2`, request, metadata: HTTP });
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
