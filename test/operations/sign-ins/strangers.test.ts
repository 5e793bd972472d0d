// Whoever makes up a link or a state learns nothing of the company that it names: by no answer, by no time, by no trace. Times are compared as calls
// of the store, which are what they are made of.
import { expect, it } from 'vitest';
import { ticketOf } from '../../../shared/domain/ticket.ts';
import { openLink } from '../../../shared/operations/sign-ins/begin.ts';
import { COMPANY, PLACE, TENANT } from '../connections/connection-world.ts';
import { SignInWorld } from './sign-in-world.ts';
import { codeOf, globalAdminOf, type Walk } from './walk.ts';

const NOBODY = 'nobody';
const madeUp = (company: string): string => ticketOf(company, new Uint8Array(32)).text;

const ATTEMPTS: readonly (readonly [
  string,
  (world: SignInWorld, text: string) => ReturnType<Walk['begin' | 'answer']>,
])[] = [
  ['presses the button of a link', ({ walk }, text) => walk.begin(text)],
  ['presses it from another site', ({ walk }, text) => walk.begin(text, { isCrossSite: true })],
  ['comes back from a sign-in', ({ walk }, text) => walk.comeBack(`state=${text}&code=x`, 'verifier.nonce') as never],
  ['answers the second question', ({ walk }, text) => walk.answer(text, { cookie: 'verifier.nonce' })],
];

/** What the store is asked by an attempt, without the names of companies. */
async function callsOf(world: SignInWorld, attempt: () => Promise<unknown>): Promise<readonly string[]> {
  const calls: string[] = [];
  const { tables } = world;
  const [read, list, write] = [tables.read.bind(tables), tables.list.bind(tables), tables.write.bind(tables)];
  tables.read = (...call) => (calls.push(`read ${call[0]} ${call[2]}`), read(...call));
  tables.list = (query) => (calls.push(`list ${query.table}`), list(query));
  tables.write = (...call) => (calls.push(`write ${call[0]}`), write(...call));
  await attempt();
  Object.assign(tables, { read, list, write });
  return calls.map((call) => call.replaceAll(/[0-9a-f]{64}/g, 'HASH'));
}

it.each(ATTEMPTS)('somebody who %s is told and costs the same, whether the company exists', async (_what, attempt) => {
  const world = new SignInWorld();
  await world.put();
  const before = [...world.store.dump()];
  const met = async (company: string): Promise<unknown> => {
    let code: unknown;
    const calls = await callsOf(world, async () => (code = codeOf(await attempt(world, madeUp(company)))));
    expect(calls.filter((call) => call.startsWith('write'))).toEqual([]);
    return { code, calls };
  };
  const ofCompany = await met(COMPANY);
  expect(ofCompany).toEqual(await met(NOBODY));
  world.companyIsNow('closing');
  expect(ofCompany).toEqual(await met(COMPANY));
  world.companyIsNow('active');
  expect([...world.store.dump()]).toHaveLength(before.length);
  expect(world.records.map(({ action }) => action)).toEqual(['connection.put']);
});

it('somebody who opens a link reads the same, whether the company exists', async () => {
  const world = new SignInWorld();
  const reads = (company: string): Promise<readonly string[]> =>
    callsOf(world, () => openLink(world.deps, { link: madeUp(company) }));
  expect(await reads(COMPANY)).toEqual(await reads(NOBODY));
});

it('a genuine state at the wrong step is recorded: who has it was given it', async () => {
  const world = new SignInWorld();
  await world.put();
  const { walk } = world;
  const link = await walk.link(PLACE);
  const { state, cookie } = await walk.toQuestion(link, globalAdminOf(TENANT));
  expect(codeOf(await walk.comeBack(`state=${state}&code=x`, cookie))).toBe('sign-in-unknown');
  expect(world.records.at(-1)).toMatchObject({
    action: 'sign-in.refused',
    told: { code: 'sign-in-unknown', step: 'callback' },
  });
  const left = await walk.toSignIn(link);
  const signIn = new URL(left.goTo).searchParams.get('state') ?? '';
  expect(codeOf(await walk.answer(signIn, { cookie: left.cookie }))).toBe('sign-in-unknown');
  expect(world.records.at(-1)).toMatchObject({
    action: 'sign-in.refused',
    told: { code: 'sign-in-unknown', step: 'confirm' },
  });
});
