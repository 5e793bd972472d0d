// One seed from beginning to end: a storm, in which everything goes on at once and anything may fail; then calm, in which every switch
// must end by itself or say what it waits for; then every data key is opened once more on every host.
import { Admin } from './admin.ts';
import { sweepHeads } from '../../shared/operations/audit/sign-heads.ts';
import { sweepNotifications } from '../../shared/operations/notifications/sweep-notifications.ts';
import { call, read, unwrapAndCheck, watchDenials, write } from './callers.ts';
import { Chance } from './chance.ts';
import type { Reached } from './coverage.ts';
import { startPumps } from './pumps.ts';
import { sweep, tamper, troubleVaults, turnTimer, VAULT_HOSTS } from './outsiders.ts';
import { leftOnAgenda } from './leftovers.ts';
import { planOf, type Plan } from './plan.ts';
import { checkTornCopy } from './torn-copy.ts';
import { copyTables } from './copying.ts';
import { findTenants } from './tenants.ts';
import { World } from './world.ts';

export interface SeedOutcome {
  readonly seed: number;
  readonly steps: number;
  readonly traceHash: string;
  readonly failure: string | undefined;
  readonly reached: Reached;
  /** How many switches were completed and cancelled. */
  readonly ends: { readonly completed: number; readonly cancelled: number };
}

const STORM_STEPS = 12_000;
const CALM_STEPS = 30_000;
const MAX_ROUNDS = 40;
const LONG_WHILE_MS = 200_000;
const LAST_TURNS = 4;
const TURNS_TO_EMPTY = 4;
/** The date until which a company key is kept may be told by a clock that was days ahead. */
const MOST_TURNS_TO_EMPTY = 16;
/** More than a day: so long an event is waited for whose act is not there. */
const NO_ATTEMPT_LASTS_MS = 25 * 3_600_000;

export async function runSeed(
  seed: number,
  options: { readonly trace?: (line: string) => void; readonly plan?: Plan } = {},
): Promise<SeedOutcome> {
  const plan = options.plan ?? planOf(seed);
  const world = await World.begin(plan, {
    ...(options.trace ? { trace: options.trace } : {}),
    onStart: startPumps,
  });
  const onRejection = (reason: unknown): void => world.history.broken('10', `nobody caught ${String(reason)}`);
  process.on('unhandledRejection', onRejection);
  try {
    const { callers } = await storm(world);
    if (!world.history.failure) await calm(world, callers);
    if (!world.history.failure) await openEverything(world);
    for (const copy of world.copies) if (!world.history.failure) await checkTornCopy(world, copy);
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  return {
    seed,
    steps: world.scheduler.steps,
    traceHash: world.traceHash,
    failure: world.history.failure,
    reached: world.coverage.reached,
    ends: world.control.ends,
  };
}

/** Steps until the act is over. False if it never ends. */
async function until(world: World, act: Promise<unknown>, most: number): Promise<boolean> {
  const progress = { isOver: false };
  const finished = act.then(
    () => (progress.isOver = true),
    (error: unknown) => world.history.broken('10', `an actor ended with ${String(error)}`),
  );
  void finished;
  const end = await world.scheduler.run(() => progress.isOver || world.history.failure !== undefined, most);
  return end === 'met';
}

/** Answers the callers, who finish what they have begun. */
async function storm(world: World): Promise<{ readonly callers: Promise<unknown> }> {
  const state = { isOver: false };
  const isOver = (): boolean => state.isOver;
  const callers = Promise.all([read(world, isOver), write(world, isOver), watchDenials(world, isOver)]);
  void copyTables(world);
  const acts = [
    new Admin(world).changeHisMind(),
    troubleVaults(world),
    tamper(world),
    turnTimer(world),
    findTenants(world),
  ];
  await until(world, Promise.all(acts), STORM_STEPS);
  state.isOver = true;
  return { callers };
}

async function calm(world: World, callers: Promise<unknown>): Promise<void> {
  world.stormy = false;
  for (const { process: frozen } of world.hosts) frozen.state = 'running';
  for (const host of VAULT_HOSTS) world.trouble(host, undefined);
  if (!(await until(world, callers, CALM_STEPS))) world.history.broken('5', 'a call is never answered');
  const admin = new Admin(world);
  const chance = new Chance(world.plan.seed, 'calm');
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    await untilQuiet(world);
    if (world.history.failure || !world.control.running) break;
    const settled = await until(world, admin.settle(), CALM_STEPS);
    if (!settled) world.history.broken('5', 'an order is never answered');
    world.clock.advance(LONG_WHILE_MS);
    if (!(await until(world, sweep(world, chance), CALM_STEPS))) world.history.broken('5', 'the timer never ends');
  }
  const { running } = world.control;
  if (running) world.history.broken('5', `switch ${running.switchId} is ${running.state} for ever`);
}

/** Until nobody has anything to do, no message is left, and nothing that was sent is still on its way. */
async function untilQuiet(world: World): Promise<void> {
  const end = await world.scheduler.run(() => world.history.failure !== undefined, CALM_STEPS);
  if (end === 'out-of-steps') world.history.broken('5', 'the work never ends');
}

/** Nobody is told: the chains that were signed only go off the agenda. */
const NO_WEBHOOKS = { webhookSender: { send: () => Promise.reject(new Error('there are no webhooks')) }, apiUrl: '' };

/** After a while in which no attempt can last, a few turns of the timers must do. */
async function emptyAgenda(world: World): Promise<void> {
  const chance = new Chance(world.plan.seed, 'agenda');
  const turn = async (): Promise<void> => {
    await sweep(world, chance);
    const host = world.anyHost(chance);
    await call(world, host, () => sweepHeads(host.services.timer));
    await call(world, host, () => sweepNotifications({ ...host.services.timer, ...NO_WEBHOOKS }));
  };
  const isOver = (turns: number): boolean => turns >= TURNS_TO_EMPTY && leftOnAgenda(world.store).length === 0;
  for (let turns = 0; turns < MOST_TURNS_TO_EMPTY && !isOver(turns); turns += 1) {
    world.clock.advance(NO_ATTEMPT_LASTS_MS);
    if (!(await until(world, turn(), CALM_STEPS))) world.history.broken('5', 'the timer never ends');
  }
  const left = leftOnAgenda(world.store);
  if (left.length > 0) world.history.broken('5', `the agenda still has ${left.join(', ')}`);
}

async function openEverything(world: World): Promise<void> {
  const { data, history, control } = world;
  const live = data.all().flatMap(([keyId, { state }]) => (state === 'live' ? [keyId] : []));
  const keyIds = live.filter((keyId) => !history.everTampered.has(keyId));
  for (const host of keyIds.length > 0 ? [...world.hosts] : []) {
    const opened = unwrapAndCheck(world, host, keyIds).then((outcomes) => {
      const closed = outcomes?.filter(({ outcome }) => outcome !== 'unwrapped') ?? [];
      if (!outcomes || closed.length > 0)
        history.broken('1', `in the end these do not open: ${JSON.stringify(closed)}`);
    });
    if (!(await until(world, opened, CALM_STEPS))) history.broken('5', 'an unwrap never ends');
  }
  for (const [partition, shard] of data.shards) {
    if (shard.writeVersion !== control.keyring?.activeVersion) {
      history.broken('3', `${partition} goes on writing under version ${shard.writeVersion}`);
    }
  }
  world.clock.advance(LONG_WHILE_MS);
  // More than one turn: time jumps, so a slice may be over before it has looked at everything.
  const chance = new Chance(world.plan.seed, 'end');
  for (let turn = 0; turn < LAST_TURNS; turn += 1) await until(world, sweep(world, chance), CALM_STEPS);
  await world.audit.inTheEnd();
  if (!history.failure) await emptyAgenda(world);
}
