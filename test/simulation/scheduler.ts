// Decides alone who goes next. Every call of a port stops here before and after its effect; one waiter goes on, runs until all code
// that it set going waits here again, and only then the next is chosen. No timer, no clock of the machine, no randomness but the
// seed's: the same seed gives the same steps.
import type { FakeClock } from '../fakes/fake-system.ts';
import type { Chance } from './chance.ts';

/** One host process. What it was doing when it dies never goes on; what it was doing when it froze goes on much later. */
export interface SimProcess {
  readonly name: string;
  state: 'running' | 'frozen' | 'dead';
  /** The step at which a frozen one goes on. */
  thawsAtStep: number;
}

export interface Actor {
  readonly role: string;
  /** Absent for the world itself: the network, the vaults' owners, whoever tampers. */
  readonly process?: SimProcess;
}

export interface Point {
  /** What is about to happen, or has just happened. */
  readonly text: string;
  /** One of the design's places to die, if it is one. */
  readonly place?: string;
  /** Which way the switch went when this was set going. */
  readonly way?: string;
  /** Not before this time. */
  readonly dueMs?: number;
  /** Not before so many steps were taken; sooner if nobody else can go on and nothing comes due. */
  readonly afterStep?: number;
  /** Not before this is true. */
  readonly ready?: () => boolean;
  /** What the world does with it if the process dies here. */
  readonly onDeath?: () => void;
}

interface Waiter {
  readonly actor: Actor;
  readonly point: Point;
  readonly go: () => void;
}

export type RunEnd = 'met' | 'idle' | 'out-of-steps';

export interface SchedulerOptions {
  readonly clock: FakeClock;
  readonly chance: Chance;
  /** How likely whoever went last goes on, if it can. */
  readonly stickiness: number;
  /** How likely a step takes minutes. */
  readonly jumpRate: number;
  /** Asked before a waiter goes; false if its process was killed or frozen instead. */
  readonly mayGo: (actor: Actor, point: Point) => boolean;
  /** Called for each step that is taken. */
  readonly onStep: (actor: Actor, point: Point) => void;
}

const LONGEST_JUMP_MS = 400_000;
const LONGEST_STEP_MS = 4;

export class Scheduler {
  readonly #options: SchedulerOptions;
  #waiting: Waiter[] = [];
  #last: Actor | undefined;
  /** When something comes due that no waiter knows of: a message, a lock. */
  readonly wakeUps: (() => number | undefined)[] = [];
  steps = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Never resolves once the actor's process is dead. */
  turn(actor: Actor, point: Point): Promise<void> {
    if (actor.process?.state === 'dead') return new Promise(() => undefined);
    return new Promise((go) => {
      this.#waiting.push({ actor, point, go });
    });
  }

  kill(process: SimProcess): void {
    process.state = 'dead';
    const dead = this.#waiting.filter(({ actor }) => actor.process === process);
    this.#waiting = this.#waiting.filter(({ actor }) => actor.process !== process);
    for (const { point } of dead) point.onDeath?.();
  }

  freeze(process: SimProcess, forSteps: number): void {
    process.state = 'frozen';
    process.thawsAtStep = this.steps + forSteps;
  }

  /** Steps until `until` holds, nobody can go on any more, or `most` steps were taken. */
  run(until: () => boolean, most: number): Promise<RunEnd> {
    const last = this.steps + most;
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (until()) resolve('met');
          else if (this.steps >= last) resolve('out-of-steps');
          else if (!this.#step()) resolve('idle');
          // A tick comes only after every microtask that the step set going has run.
          else queueMicrotask(() => process.nextTick(step));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      queueMicrotask(() => process.nextTick(step));
    });
  }

  /** False if nobody can ever go on. */
  #step(): boolean {
    this.steps += 1;
    const waiter = this.#choose();
    if (!waiter) return this.#moveTime();
    const { chance, clock, jumpRate } = this.#options;
    clock.advance(chance.happens(jumpRate) ? chance.below(LONGEST_JUMP_MS) : chance.below(LONGEST_STEP_MS));
    if (!this.#options.mayGo(waiter.actor, waiter.point)) return true;
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
    this.#last = waiter.actor;
    this.#options.onStep(waiter.actor, waiter.point);
    waiter.go();
    return true;
  }

  #choose(): Waiter | undefined {
    const able = this.#waiting.filter((waiter) => this.#isAble(waiter));
    if (able.length === 0) return undefined;
    const { chance, stickiness } = this.#options;
    if (chance.happens(stickiness)) {
      const same = able.filter(({ actor }) => actor === this.#last);
      if (same.length > 0) return chance.pick(same);
    }
    return chance.pick(able);
  }

  #isAble({ actor, point }: Waiter): boolean {
    if (actor.process?.state === 'frozen') {
      if (this.steps < actor.process.thawsAtStep) return false;
      actor.process.state = 'running';
    }
    if (point.dueMs !== undefined && point.dueMs > this.#options.clock.now().getTime()) return false;
    if (point.afterStep !== undefined && point.afterStep > this.steps) return false;
    return point.ready === undefined || point.ready();
  }

  /** Nobody can go on now: on to the next time at which somebody can, or to the thaw. */
  #moveTime(): boolean {
    const nowMs = this.#options.clock.now().getTime();
    const dueMs = [...this.#waiting.map(({ point }) => point.dueMs), ...this.wakeUps.map((wakeUp) => wakeUp())].filter(
      (ms): ms is number => ms !== undefined && ms > nowMs,
    );
    if (dueMs.length > 0) {
      this.#options.clock.advanceTo(Math.ceil(Math.min(...dueMs)));
      return true;
    }
    const frozen = this.#waiting.flatMap(({ actor }) => (actor.process?.state === 'frozen' ? [actor.process] : []));
    for (const process of frozen) process.state = 'running';
    const afterStep = this.#waiting.flatMap(({ point }) => (point.afterStep === undefined ? [] : [point.afterStep]));
    if (afterStep.length > 0) this.steps = Math.max(this.steps, Math.min(...afterStep));
    return frozen.length > 0 || afterStep.length > 0;
  }
}
