// Loads the app in the directory that is named as the Functions worker does, lets it answer one call over HTTP, and ends.
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { addressSettings } from '../local/functions-host/app-settings.ts';
import { createCoreApi } from '../local/functions-host/core-api.ts';
import { collectFunctionErrors } from '../local/functions-host/function-errors.ts';
import { parseHostSettings } from '../local/functions-host/host-settings.ts';
import { askForStream } from '../local/functions-host/http-stream.ts';
import { listenOnLoopback } from '../local/functions-host/http-listener.ts';
import { startHttpTriggers } from '../local/functions-host/http-trigger.ts';
import { createInvoker } from '../local/functions-host/invoke.ts';
import { loadApp } from '../local/functions-host/load-app.ts';
import { listenOnLoopbackOnly } from '../local/functions-host/loopback-only.ts';

const directory = process.argv[2] ?? '';
const settings = process.env;
const log = (): void => undefined;
const { api, app } = createCoreApi(log);

const servers: Server[] = [];
listenOnLoopbackOnly((server) => servers.push(server));

async function answerOnce(): Promise<void> {
  const listener = await listenOnLoopback(0);
  Object.assign(settings, addressSettings(listener.url, settings));
  await loadApp(directory, api);
  const proxy = await askForStream(app, servers);
  const host = parseHostSettings(readFileSync(join(directory, 'host.json'), 'utf8'), settings);
  startHttpTriggers({
    functions: [...app.functions.values()],
    runByName: () => false,
    settings,
    host,
    keys: { functionKey: 'function', masterKey: 'master' },
    invoker: createInvoker({ app, log, timeoutMs: host.functionTimeoutMs, onTimeout: log }),
    log,
    errors: collectFunctionErrors(log),
    listener,
    proxy,
  });
  // Without a token: the app refuses by itself, without asking anybody.
  get(`${listener.url}/api/v1/companies/acme`, ({ statusCode }) => process.exit(statusCode === 401 ? 0 : 1));
}

answerOnce().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
