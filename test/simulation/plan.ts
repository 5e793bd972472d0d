// What one seed is: how many of everything, which faults there are and how often. Most seeds have a few kinds of fault and not the
// others, since faults that are always all there hide each other.
import { Chance } from './chance.ts';
import { DEADLY_PLACES, type Death, type Place, type Way } from '../fixtures/places-to-die.ts';

export interface PlannedDeath {
  readonly kind: Death;
  readonly place: Place;
  readonly way: Way;
  /** How often the place is passed before. */
  readonly after: number;
}

export interface Plan {
  readonly seed: number;
  /** No faults, no deaths, nobody changes his mind: the budget of vault calls is exact. */
  readonly calm: boolean;
  readonly processes: number;
  readonly workersPerProcess: number;
  readonly shardCount: number;
  readonly dataKeys: number;
  readonly stickiness: number;
  readonly jumpRate: number;
  readonly cacheTtlMs: number;
  /** For so long a company key serves on while its vault cannot be reached. */
  readonly outageGraceMs: number;
  readonly cachedRows: number;
  readonly messageBudgetMs: number;
  readonly endLeaseMs: number;
  readonly restoreDays: number;
  /** Most rows in one page of the store. */
  readonly pageRows: number;
  readonly deaths: readonly PlannedDeath[];
  /** Of each step of a process. */
  readonly deathRate: number;
  readonly freezeRate: number;
  readonly faults: FaultRates;
  readonly vaultTroubles: number;
  readonly tampers: number;
  readonly orders: number;
  readonly timerTurns: number;
  /** Of those who find tenants in the data, and of their administrators. Most companies have none. */
  readonly tenantTurns: number;
  /** Of somebody who copies the tables meanwhile; each copy is opened in the end. */
  readonly copies: number;
}

/** Of each call. */
export interface FaultRates {
  readonly lostBefore: number;
  readonly lostAfter: number;
  readonly late: number;
  readonly unavailable: number;
  readonly touched: number;
  readonly emptyPage: number;
  /** An answer that is none. */
  readonly damaged: number;
  readonly vault: number;
  readonly slowVault: number;
  /** Answered in due form, and not the truth. */
  readonly lyingVault: number;
  readonly slowStore: number;
  readonly seal: number;
  readonly duplicate: number;
  readonly lateMessage: number;
  readonly lockLost: number;
  readonly queueAway: number;
}

export const NO_FAULTS: FaultRates = {
  lostBefore: 0,
  lostAfter: 0,
  late: 0,
  unavailable: 0,
  touched: 0,
  emptyPage: 0,
  damaged: 0,
  vault: 0,
  slowVault: 0,
  lyingVault: 0,
  slowStore: 0,
  seal: 0,
  duplicate: 0,
  lateMessage: 0,
  lockLost: 0,
  queueAway: 0,
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Most plans have none: what each of their calls meets does not depend on it. */
const damagedOf = (chance: Chance): number => (chance.happens(0.15) ? chance.pick([0.01, 0.04]) : 0);

const graceOf = (chance: Chance): number => chance.pick([0, 20_000, 10 * MINUTE_MS]);

export function planOf(seed: number): Plan {
  const chance = new Chance(seed, 'plan');
  const calm = chance.happens(0.08);
  const rate = (...rates: readonly number[]): number => (calm || chance.happens(0.5) ? 0 : chance.pick(rates));
  const some = (most: number): number => (calm ? 0 : chance.below(most + 1));
  const plan: Plan = {
    seed,
    calm,
    processes: chance.between(1, 3),
    workersPerProcess: chance.between(1, 2),
    shardCount: chance.between(2, 3),
    dataKeys: chance.between(3, 14),
    stickiness: chance.pick([0, 0.3, 0.7, 0.9]),
    jumpRate: calm ? 0 : chance.pick([0, 0, 0.002, 0.01]),
    cacheTtlMs: calm ? DAY_MS : chance.pick([1, 2_000, 5 * MINUTE_MS]),
    outageGraceMs: graceOf(new Chance(seed, 'grace of the plan')),
    cachedRows: chance.pick([0, 0, 100]),
    messageBudgetMs: chance.pick([60_000, 60_000, 40]),
    endLeaseMs: calm ? 25_000 : chance.pick([25_000, 200]),
    restoreDays: chance.pick([30, MINUTE_MS / DAY_MS]),
    pageRows: chance.between(1, 6),
    deaths: calm ? [] : Array.from({ length: chance.below(4) }, () => plannedDeath(chance)),
    deathRate: rate(0.001, 0.004),
    freezeRate: rate(0.001, 0.006),
    faults: {
      lostBefore: rate(0.02, 0.1),
      lostAfter: rate(0.03, 0.15),
      late: rate(0.03, 0.1),
      unavailable: rate(0.005, 0.02),
      touched: rate(0.05, 0.2),
      emptyPage: calm ? 0.1 : rate(0.1, 0.3),
      damaged: calm ? 0 : damagedOf(new Chance(seed, 'damaged answers of the plan')),
      vault: rate(0.02, 0.2),
      slowVault: rate(0.2),
      lyingVault: calm ? 0 : lyingVaultOf(new Chance(seed, 'lies of the plan')),
      slowStore: calm ? 0 : slowStoreOf(new Chance(seed, 'slow store of the plan')),
      seal: rate(0.02, 0.1),
      duplicate: rate(0.2, 0.6),
      lateMessage: rate(0.2),
      lockLost: rate(0.01, 0.05),
      queueAway: rate(0.02, 0.1),
    },
    vaultTroubles: some(4),
    tampers: chance.happens(0.3) ? some(4) : 0,
    orders: calm ? 1 : chance.between(3, 14),
    timerTurns: some(2),
    tenantTurns: calm ? 0 : tenantTurnsOf(new Chance(seed, 'tenants of the plan')),
    copies: copiesOf(new Chance(seed, 'copies of the plan')),
  };
  return calm
    ? plan
    : {
        ...plan,
        ...(plan.tenantTurns > 0 ? { copies: 0 } : {}),
        ...rareOf(new Chance(seed, 'the rare of the plan')),
        ...rarestOf(new Chance(seed, 'the rarest of the plan')),
      };
}

/** A lone worker that ends late in a switch. Left to chance one such place is missing in some 5,000 seeds. */
function rareOf(chance: Chance): Partial<Plan> {
  if (!chance.happens(0.08)) return {};
  const place = chance.pick(LATE_PLACES);
  const kind = chance.pick(['kill', 'freeze'] as const);
  return loneWorker({ kind, place, way: chance.pick(['forward', 'back', 'again']), after: 0 });
}

/** The rarest of all: a lone worker that brings a switch to its end which goes forward again, and dies of it. */
function rarestOf(chance: Chance): Partial<Plan> {
  if (!chance.happens(0.04)) return {};
  const place = chance.pick(PLACES_OF_AN_END);
  return loneWorker({ kind: chance.pick(['kill', 'freeze']), place, way: 'again', after: 0 });
}

const loneWorker = (death: PlannedDeath): Partial<Plan> => ({
  processes: 1,
  workersPerProcess: 1,
  deaths: [death],
  deathRate: 0,
  freezeRate: 0,
  orders: 30,
});

const slowStoreOf = (chance: Chance): number => (chance.happens(0.5) ? chance.pick([0.02, 0.15]) : 0);

/** A copy is settled by an admin alone: where nobody registers tenants. */
const copiesOf = (chance: Chance): number => (chance.happens(0.6) ? chance.between(1, 3) : 0);

const lyingVaultOf = (chance: Chance): number => (chance.happens(0.3) ? chance.pick([0.02, 0.15]) : 0);

const tenantTurnsOf = (chance: Chance): number => (chance.happens(0.4) ? chance.between(2, 12) : 0);

const PLACES_OF_AN_END = DEADLY_PLACES.filter((place) => place.startsWith('end'));
const LATE_PLACES = DEADLY_PLACES.filter((place) => place.startsWith('second-pass') || place.startsWith('end'));

/** A switch comes to its end once, if at all, and to any other place again and again. */
const PLACES_TO_PLAN: readonly Place[] = [
  ...DEADLY_PLACES,
  ...PLACES_OF_AN_END.flatMap((place) => [place, place, place]),
];

function plannedDeath(chance: Chance): PlannedDeath {
  const place = chance.pick(PLACES_TO_PLAN);
  // Fewest switches get there going forward again.
  const way = place.startsWith('prepare') ? 'forward' : chance.pick(['forward', 'back', 'again', 'again'] as const);
  const kind = chance.pick(['kill', 'freeze'] as const);
  const after = chance.below(3);
  // Few switches come to their end three times.
  const isOnce = place.startsWith('prepare') || place.startsWith('end');
  return { kind, place, way, after: isOnce ? 0 : after };
}
