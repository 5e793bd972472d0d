// How a company stands, in one word, for operators who look over all of them; and by which words it is found. Pure.
import type { VaultHealth } from './health.ts';
import type { Company, Keyring } from './keyring.ts';
import { present } from './plain-object.ts';
import { standstillOf } from './standstill.ts';
import type { Switch } from './switch.ts';

/** The worst first: a company stands as the worst of what is true of it. */
export const STANDINGS = [
  'closing',
  'revoked',
  'blocked',
  'unreachable',
  'waiting-for-azure',
  'waiting',
  'switching',
  'warning',
  'healthy',
  'vendor-key',
] as const;
export type StandingState = (typeof STANDINGS)[number];

export interface CompanyStanding {
  readonly companyId: string;
  readonly displayName: string;
  readonly state: StandingState;
  readonly since?: string;
  /** Why, and whose move it is. */
  readonly code?: string;
  readonly owner?: string;
}

type Why = Omit<CompanyStanding, 'companyId' | 'displayName'>;

export interface StandingFacts {
  readonly company: Company;
  readonly keyrings: readonly Keyring[];
  /** Unfinished ones. */
  readonly switches: readonly Switch[];
  /** Of the vaults in force that were looked at. */
  readonly health: readonly VaultHealth[];
}

export function standingOf({ company, keyrings, switches, health }: StandingFacts): CompanyStanding {
  const { companyId, displayName } = company;
  const hasOwnKey = keyrings.some(({ provider }) => provider.connectionId !== undefined);
  const all: readonly Why[] = [
    { state: hasOwnKey ? 'healthy' : 'vendor-key' },
    ...(company.state === 'closing' ? [{ state: 'closing' } as const] : []),
    ...health.map(ofHealth),
    ...switches.map(ofSwitch),
  ];
  const worst = all.reduce((one, other) => (rank(other) < rank(one) ? other : one));
  return { companyId, displayName, ...worst };
}

const rank = ({ state }: Why): number => STANDINGS.indexOf(state);

const ofHealth = ({ state, since, code, owner, warnings }: VaultHealth): Why => ({
  state,
  since,
  ...present({ code: code ?? warnings[0], owner }),
});

function ofSwitch(sw: Switch): Why {
  const why = standstillOf(sw);
  if (!why) return { state: 'switching', since: sw.createdAt };
  const { reason, since, code, owner } = why;
  const state = reason.startsWith('blocked-') ? 'blocked' : reason === 'failure' ? 'switching' : 'waiting';
  return { state, since, ...present({ code, owner }) };
}

const MAX_WORDS = 12;
const MAX_WORD_CHARS = 40;

/** Letters and digits, in lower case, as they may stand in a key of a row. */
const wordsIn = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => word.replaceAll(/[\uD800-\uDFFF]/g, '').slice(0, MAX_WORD_CHARS))
    .filter((word) => word !== '');

/** By which a company is found: its id, and the words of id and name. In order, each once. */
export const wordsOf = ({ companyId, displayName }: Pick<CompanyStanding, 'companyId' | 'displayName'>): string[] =>
  [...new Set([companyId, ...wordsIn(`${companyId} ${displayName}`)])].slice(0, MAX_WORDS).toSorted();

export interface StandingFilter {
  readonly state?: StandingState;
  readonly owner?: string;
  readonly code?: string;
  /** Beginnings of words. */
  readonly q?: string;
}

/** An id as it is, or words. */
export const searchedWords = (q: string): string[] => {
  const whole = q.trim().toLowerCase();
  return /^[a-z0-9][a-z0-9-]*$/.test(whole) ? [whole.slice(0, MAX_WORD_CHARS)] : wordsIn(q);
};

export function fits(standing: CompanyStanding, { state, owner, code, q }: StandingFilter): boolean {
  if (state !== undefined && standing.state !== state) return false;
  if (owner !== undefined && standing.owner !== owner) return false;
  if (code !== undefined && standing.code !== code) return false;
  const words = wordsOf(standing);
  return q === undefined || searchedWords(q).every((begun) => words.some((word) => word.startsWith(begun)));
}

/** How many companies stand in each state; those that are left out: none. */
export type StandingCounts = Readonly<Partial<Record<StandingState, number>>>;

/** One company fewer in the one state, one more in the other. A count that has lost its way is not taken below none: the timer sets it right. */
export function countsMoved(
  counts: StandingCounts,
  from: StandingState | undefined,
  to: StandingState | undefined,
): StandingCounts {
  const moved = new Map(Object.entries(counts) as [StandingState, number][]);
  if (from !== undefined) moved.set(from, (moved.get(from) ?? 0) - 1);
  if (to !== undefined) moved.set(to, (moved.get(to) ?? 0) + 1);
  return Object.fromEntries([...moved].filter(([, many]) => many > 0));
}

export type CompaniesCounted = Readonly<Record<StandingState, number>>;

/** Every state, in the order of STANDINGS. */
export const sumOfCounts = (all: readonly StandingCounts[]): CompaniesCounted =>
  Object.fromEntries(
    STANDINGS.map((state) => [state, all.reduce((sum, counts) => sum + (counts[state] ?? 0), 0)]),
  ) as CompaniesCounted;
