// The app: settings, the world that they name, the host over it, then every trigger. The only module with side effects. Settings that are
// not usable end the load with everything that is wrong: the host reports that it failed, and runs no function rather than some.
import Module from 'node:module';
import { app } from '@azure/functions';
import { jsonLog, keepHeapSmall, systemEntropy } from '../shared/adapters/system.ts';
import { createHost } from '../shared/host.ts';
import { TimerTurns } from '../shared/operations/watch/timer-turns.ts';
import { parseSettings } from '../shared/settings.ts';
import { CallPlaces } from './http/kernel/call-places.ts';
import { CallRates } from './http/kernel/call-rates.ts';
import { LoopDelay } from './http/kernel/loop-delay.ts';
import { registerReserved, registerRoutes } from './http/kernel/register.ts';
import { API_VERSION } from './http/resources/meta/routes.ts';
import { routes } from './http/routes.ts';
import { guardStream, type CoreApi } from './http/kernel/stream-guard.ts';
import { keepInstanceHeartbeat } from './instance-heartbeat.ts';
import { watchDenials } from './denial-watch.ts';
import { invocationLog } from './invocation-log.ts';
import { recordOwnCounts } from './own-counts.ts';
import { policyOf } from './policy.ts';
import { registerCheckQueue, registerQueues } from './service-bus/register.ts';
import { registerTimers, timersOf } from './timer/register.ts';
import { startOverdueByTraffic } from './timer/traffic.ts';
import { createWorld } from './world.ts';

keepHeapSmall();
// Without it the host drops a body that comes in pieces, and the worker holds every other one whole before the app checks the token.
app.setup({ enableHttpStream: true });
registerReserved(app, { entropy: systemEntropy });
const settings = parseSettings(process.env);
const policy = policyOf(settings);
const world = createWorld(settings, policy, jsonLog(invocationLog(app)));
const { services, ofWorkers, ofChecks } = createHost(world, policy);

const schedules = {
  sweep: settings.KEYSWITCH_SWEEP_SCHEDULE,
  'vault-checks': settings.KEYSWITCH_CHECK_SCHEDULE,
  audit: settings.KEYSWITCH_AUDIT_SCHEDULE,
  notifications: settings.KEYSWITCH_NOTIFY_SCHEDULE,
};
const watched = { ...services, version: API_VERSION };
const timerTurns = new TimerTurns(watched, timersOf(services, schedules));

const callPlaces = new CallPlaces(
  { ...services, loopDelay: new LoopDelay().start(), rates: new CallRates(services, policy) },
  { maxWaitMs: policy.maxCallWaitMs },
);
registerRoutes(app, routes, { ...services, callPlaces, timerTurns });
// The library has told the worker of its model now.
guardStream(coreApi());
registerQueues(app, ofWorkers, { queueName: settings.KEYSWITCH_WORK_QUEUE });
registerCheckQueue(app, ofChecks, { queueName: settings.KEYSWITCH_CHECKS_QUEUE });
recordOwnCounts(app, services);
registerTimers(app, timerTurns, schedules);
startOverdueByTraffic(app, timerTurns);
keepInstanceHeartbeat(app, watched, timerTurns);
watchDenials(services);

// What the first caller would wait for, one after the other: tokens, connections, keys. Not awaited; what fails is tried again when it is needed.
app.hook.appStart(() => {
  void services.readiness.find();
  void world.fetchIssuersKeys();
});

/** Only the worker has this module. */
function coreApi(): CoreApi {
  const give = Reflect.get(Module.prototype, 'require') as (id: string) => unknown;
  return give('@azure/functions-core') as CoreApi;
}
