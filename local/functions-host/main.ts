// The Functions host process: `node --import …/redirect/preload.ts main.ts <bundle directory>`. Loads the app, starts
// its triggers, serves until told to stop, then lets what is under way finish. Configured by the environment alone
// besides the directory; everything wrong at start ends it with a message on standard error.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { addressSettings } from './app-settings.ts';
import { createCoreApi, type RegisteredApp } from './core-api.ts';
import { collectFunctionErrors } from './function-errors.ts';
import { describeError, hostLog, logStandardError } from './host-log.ts';
import { parseHostSettings } from './host-settings.ts';
import { listenOnLoopback } from './http-listener.ts';
import { askForStream } from './http-stream.ts';
import { startHttpTriggers } from './http-trigger.ts';
import { createInvoker } from './invoke.ts';
import { loadApp } from './load-app.ts';
import { listenOnLoopbackOnly } from './loopback-only.ts';
import { connectToParent } from './parent-link.ts';
import { startServiceBusTriggers } from './service-bus-trigger.ts';
import { createTimerTriggers } from './timer-trigger.ts';
import { findTrigger } from './triggers.ts';

const GRACE_MS = 10_000;
/** WorkerTerminateGracePeriodInSeconds: a worker that is told to end and has not by then is ended. */
const TERMINATE_GRACE_MS = 5_000;
const settings = process.env;
const servers: Server[] = [];

async function start(bundleDir: string): Promise<void> {
  let enableTimers = (enabled: boolean): void => {
    timersWanted = enabled;
  };
  let timersWanted = settings['KEYSWITCH_LOCAL_TIMERS'] === 'true';
  const parent = connectToParent((enabled) => enableTimers(enabled));

  const host = parseHostSettings(readFileSync(join(bundleDir, 'host.json'), 'utf8'), settings);
  const listener = await listenOnLoopback(Number(settings['KEYSWITCH_LOCAL_PORT'] ?? 0));
  Object.assign(settings, addressSettings(listener.url, settings));
  const { api, app } = createCoreApi(hostLog);
  const loadError = await loadApp(bundleDir, api);
  if (loadError) reportLoadError(loadError, app);
  const proxy = loadError ? undefined : await askForStream(app, servers);
  const functions = loadError ? [] : [...app.functions.values()];
  for (const { metadata } of functions) findTrigger(metadata);
  await app.runHooks('appStart', { hookData: {}, appHookData: app.appHookData, functionAppDirectory: bundleDir });

  const onTimeout = (): void => {
    // As in Azure, the worker cannot be trusted after that: it is ended once the failure had time to be reported.
    hostLog('critical', 'Host', 'An invocation exceeded functionTimeout. The process ends.');
    setTimeout(() => process.exit(3), 1_000);
  };
  const invoker = createInvoker({ app, log: hostLog, timeoutMs: host.functionTimeoutMs, onTimeout });
  const errors = collectFunctionErrors(hostLog);
  const surroundings = { settings, host, invoker, log: hostLog, errors };
  const timers = createTimerTriggers(functions, surroundings);
  const http = startHttpTriggers({
    ...surroundings,
    functions,
    runByName: (name) => timers.fire(name),
    keys: {
      functionKey: settings['KEYSWITCH_LOCAL_FUNCTION_KEY'] ?? randomUUID(),
      masterKey: settings['KEYSWITCH_LOCAL_MASTER_KEY'] ?? randomUUID(),
    },
    listener,
    proxy,
  });
  const bus = startServiceBusTriggers(functions, surroundings);
  errors.report();
  timers.setEnabled(timersWanted);
  enableTimers = (enabled) => timers.setEnabled(enabled);

  stopOnSignal(async () => {
    enableTimers = () => undefined;
    timers.setEnabled(false);
    http.stop();
    await bus.stop();
    await invoker.idle();
    await bus.close();
    await terminate(app);
  });
  parent.ready({ type: 'ready', url: listener.url, functions: functions.map(({ metadata }) => metadata.name) });
  // Node keeps it as a process ends; a host may be killed before that.
  flushCompileCache();
}

/**
 * As the worker and the host do together: the text goes to standard error, and that the load failed is told only if a function was registered
 * before. Otherwise the host looks for functions of the old kind, and finds none.
 */
function reportLoadError(error: Error, app: RegisteredApp): void {
  logStandardError(hostLog, error.stack ?? error.message);
  if (app.functions.size > 0) hostLog('error', 'Host.Startup', `Worker failed to index functions. ${error.message}`);
  hostLog('information', 'Host.Startup', '0 functions found (Worker)');
}

async function terminate(app: RegisteredApp): Promise<void> {
  setTimeout(() => {
    hostLog('warning', 'Host', 'The app did not end within the time that a worker has for that.');
    process.exit(0);
  }, TERMINATE_GRACE_MS);
  await app.runHooks('appTerminate', { hookData: {}, appHookData: app.appHookData });
}

/** The first signal drains, within a limit; a second one ends at once. */
function stopOnSignal(drain: () => Promise<void>): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    drain().then(
      () => process.exit(0),
      (error: unknown) => {
        hostLog('error', 'Host', `Stopping failed. ${describeError(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

listenOnLoopbackOnly((server) => servers.push(server));
const [, , bundleDir] = process.argv;
if (bundleDir === undefined) {
  process.stderr.write('usage: main.ts <directory of the built app>\n');
  process.exit(2);
}
start(bundleDir).catch((error: unknown) => {
  process.stderr.write(`The app could not be started. ${describeError(error)}\n`);
  process.exit(1);
});
