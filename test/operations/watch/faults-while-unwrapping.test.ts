// Every fault of a vault, of Entra ID or of the way there, injected while data keys are unwrapped on two host processes: what the check says, and what
// becomes of unwrapping. `first`: the host that meets it once the promised time is over. `other`: one with a key in memory, ten seconds later.
import { beforeAll, describe, expect, it } from 'vitest';
import { isOutage, type Failure } from '../../../shared/domain/failure.ts';
import { CONFIRM_AFTER_MS, type VaultHealth } from '../../../shared/domain/health.ts';
import { FAILURE_AREAS } from '../../../shared/failures.ts';
import { DENIALS_AGE_MS } from '../../../shared/operations/keys/denials.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import type { FakeVaults } from '../../fakes/fake-vaults.ts';
import { failureOf, PUBLIC_CASES } from '../../fixtures/public-cases.ts';
import { CONTOSO_HOST } from '../switches/rig.ts';
import { Bridged, CONNECTION, GRACE_MS, told, TTL_MS } from '../keys/bridged-world.ts';
import { IN_PUBLIC, NOT_MET } from './faults-in-public.ts';
import { FAULTS } from './faults.ts';
import { LIFE } from './life-cycle.ts';

type Meets = (vaults: FakeVaults) => void;

const answers =
  (found: Failure): Meets =>
  (vaults) => {
    vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: found });
  };
const publicCase = (id: string): Failure => {
  const one = PUBLIC_CASES.find((known) => known.id === id);
  if (!one) throw new Error(`there is no case ${id}`);
  return failureOf(one);
};

const ROWS: readonly (readonly [name: string, meets: Meets, becomes: string])[] = [
  ...FAULTS.map(([name, found, becomes]) => [name, answers(found), becomes] as const),
  ...IN_PUBLIC.map(([id, becomes]) => [`in public: ${id}`, answers(publicCase(id)), becomes] as const),
  ...LIFE,
];

/** What became of one fault. */
interface Outcome {
  readonly becomes: string;
  readonly states: readonly string[];
  readonly first: string;
  /** Ten seconds after the last check, at the end of its own time, and after the grace too. */
  readonly other: readonly [soon: string, afterTime: string, afterGrace: string];
}
const outcomes = new Map<string, Outcome>();
beforeAll(async () => {
  for (const [name, meets] of ROWS) outcomes.set(name, await whatBecomesOf(meets));
});
const outcomeOf = (name: string): Outcome => outcomes.get(name)!;

describe('met while data keys are unwrapped on two hosts', () => {
  it.each(ROWS)('%s', (name, _, becomes) => {
    expect(outcomeOf(name).becomes).toBe(becomes);
  });
});

describe('of all of them', () => {
  const all = (): Outcome[] => [...outcomes.values()];
  const serves = (said: string): boolean => said === 'ok';

  it('no outage is called a revocation', () => {
    const outages = FAULTS.filter(([, found]) => isOutage(found));
    expect(outages.length).toBeGreaterThanOrEqual(12);
    expect(outages.filter(([name]) => outcomeOf(name).states.includes('revoked'))).toEqual([]);
    expect(all().filter(({ states, first }) => serves(first) && states.includes('revoked'))).toEqual([]);
  });

  it('no revocation is served past its time', () => {
    const revocations = all().filter(({ states }) => states.includes('revoked'));
    expect(revocations.length).toBeGreaterThanOrEqual(20);
    expect(revocations.filter(({ first, other }) => [first, ...other].some(serves))).toEqual([]);
  });

  it('nothing else that a vault refuses is served past the promised time, and no outage past the grace', () => {
    const refused = all().filter(({ first }) => !serves(first));
    expect(refused.filter(({ other: [, ...later] }) => later.some(serves))).toEqual([]);
    const outages = FAULTS.filter(([, found]) => isOutage(found));
    expect(outages.filter(([name]) => serves(outcomeOf(name).other[2]))).toEqual([]);
  });

  it('none is left out that a vault, a directory or the public has', () => {
    const met = new Set<string>(FAULTS.map(([, { code }]) => code));
    for (const [id] of IN_PUBLIC) met.add(publicCase(id).code);
    for (const code of outcomesOfLife()) met.add(code);
    expect(FAILURE_AREAS.vault.filter((code) => !met.has(code) && !NOT_MET.has(code))).toEqual([]);
    expect([...NOT_MET].filter((code) => met.has(code))).toEqual([]);
    const atVaults = PUBLIC_CASES.filter(({ kind }) => /^(?:classify-|network-error)/.test(kind)).map(({ id }) => id);
    expect(IN_PUBLIC.map(([id]) => id)).toEqual(atVaults);
  });
});

/** The codes that owners bring about. */
const outcomesOfLife = (): string[] => LIFE.flatMap(([name]) => /\((.+?)\)/.exec(outcomeOf(name).becomes)?.[1] ?? []);

async function whatBecomesOf(meets: Meets): Promise<Outcome> {
  const world = await Bridged.begin();
  const [first, other, checking] = [world.host(), world.host(), world.host()];
  const { clock, vaults } = world.rig;
  await told(first);
  clock.advance(TTL_MS / 2);
  await told(other);
  clock.advance(TTL_MS / 2);
  meets(vaults);
  const met = await told(first);
  const states: string[] = [];
  let health: VaultHealth | undefined;
  for (let checks = 0; checks < 3; checks += 1) {
    const checked = await checkConnection(checking, CONNECTION);
    if (!checked.ok) throw new Error(checked.error.type);
    health = checked.value;
    states.push(health.state);
    clock.advance(CONFIRM_AFTER_MS);
  }
  const later = async (ms: number): Promise<string> => {
    clock.advance(ms);
    await other.denials.look();
    return told(other);
  };
  const atOther = [await later(DENIALS_AGE_MS), await later(TTL_MS / 2), await later(GRACE_MS)] as const;
  const { state = '', code, owner = 'nobody' } = health ?? {};
  const of = (said: string): string => (said === 'ok' ? 'serves' : `refused ${said}`);
  const word = code === undefined ? state : `${state} (${code})`;
  const becomes = `${word} at check ${states.indexOf(state) + 1}, ${owner}; first ${of(met)}, other ${of(atOther[0])}`;
  return { becomes, states, first: met, other: atOther };
}
