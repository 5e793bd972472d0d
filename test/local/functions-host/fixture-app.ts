// A small Functions app that shows what the host did: bundled by the tests as the real app is. Writes what happened
// to a file that survives the process.
import { appendFileSync, existsSync } from 'node:fs';
import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';

const JOURNAL = process.env['FIXTURE_JOURNAL'] ?? '';

function note(kind: string, facts: object = {}): void {
  appendFileSync(JOURNAL, `${JSON.stringify({ kind, pid: process.pid, ...facts })}\n`);
}

/** The test says when by making the file: nothing is under way by chance. */
async function untilGateOpens(gate: string): Promise<void> {
  while (!existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 10));
}

if (process.env['FIXTURE_FAIL'] === 'first') throw new Error('the settings are wrong\n  - FIRST');

async function echo(request: HttpRequest): Promise<HttpResponseInit> {
  const body = await request.text();
  const { url, method, params } = request;
  const facts = { url, method, params, query: Object.fromEntries(request.query), bodyLength: body.length };
  return {
    status: 200,
    jsonBody: { ...facts, header: request.headers.get('x-test') },
    headers: { 'x-fixture': 'yes' },
    cookies: [{ name: 'state', value: 'a b', httpOnly: true, sameSite: 'Strict' }],
  };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const;
app.http('one', { methods: [...METHODS], route: 'v1/things/{thingId}', handler: echo });
// Before 'one' in the host's order, or it would never be reached.
app.http('a-literal', { methods: ['GET'], route: 'v1/things/special', handler: () => ({ body: 'literal' }) });
if (process.env['FIXTURE_FAIL'] === 'later') throw new Error('the settings are wrong\n  - a failed LATER');
app.http('rest', { methods: ['GET'], route: 'v1/files/{*rest}', handler: echo });
app.http('nothing', { methods: ['GET'], route: 'nothing', handler: () => undefined as unknown as HttpResponseInit });
app.http('broken', { methods: ['GET'], handler: () => Promise.reject(new Error('handler broke')) });
app.http('locked', { methods: ['GET'], authLevel: 'function', handler: () => ({ body: 'open' }) });
app.http('locked-admin', { methods: ['GET'], authLevel: 'admin', handler: () => ({ body: 'open' }) });
app.http('slow', {
  methods: ['GET'],
  handler: async (request) => {
    note('slow-started');
    await untilGateOpens(request.query.get('gate') ?? '');
    note('slow-ended');
    return { body: 'done' };
  },
});
app.http('hooked', {
  methods: ['GET'],
  handler: (_request, context) => {
    context.log('a line of the handler');
    return { body: 'unhooked' };
  },
});

/** As the app found them when it was loaded. */
const { WEBSITE_HOSTNAME, KEYSWITCH_PUBLIC_URL } = process.env;
app.http('address', {
  methods: ['GET'],
  handler: () => ({ jsonBody: { WEBSITE_HOSTNAME, KEYSWITCH_PUBLIC_URL } }),
});

app.hook.appStart(() => note('app-start'));
app.hook.appTerminate(async () => {
  note('app-terminate');
  if (process.env['FIXTURE_TERMINATE'] === 'never') await new Promise<void>(() => undefined);
});
app.hook.preInvocation((context) => {
  context.hookData['started'] = true;
});
app.hook.postInvocation((context) => {
  if (context.invocationContext.functionName !== 'hooked') return;
  context.result = { body: `hooked ${String(context.hookData['started'])}` };
});

app.timer('tick', {
  schedule: '%FIXTURE_SCHEDULE%',
  handler: (timer) => note('tick', { pastDue: timer.isPastDue, status: timer.scheduleStatus }),
});

async function onMessage(message: unknown, context: InvocationContext): Promise<void> {
  const { messageId, deliveryCount } = context.triggerMetadata ?? {};
  note('message', { message, messageId, deliveryCount });
  if (typeof message !== 'object' || message === null) return;
  if ('fail' in message) throw new Error('message refused');
  if ('gate' in message) await untilGateOpens(String(message.gate));
  note('message-done', { message, metadata: context.triggerMetadata });
}

if (['FIXTURE_BUS', 'FIXTURE_BUS__fullyQualifiedNamespace'].some((name) => process.env[name] !== undefined)) {
  app.serviceBusQueue('work', { connection: 'FIXTURE_BUS', queueName: '%FIXTURE_QUEUE%', handler: onMessage });
  app.serviceBusQueue('dead', {
    connection: 'FIXTURE_BUS',
    queueName: '%FIXTURE_QUEUE%/$DeadLetterQueue',
    handler: (message, context) => {
      note('dead-letter', { message, metadata: context.triggerMetadata });
    },
  });
}
