// The steps of a sign-in over a store that loses answers, and with others who are quicker.
import { beforeEach, describe, expect, it } from 'vitest';
import { COMPANY_ROW_KEY, connectionRowKey, linkRowKey, stateRowKey } from '../../../shared/store/rows/row-keys.ts';
import { hashOf, parseTicket } from '../../../shared/domain/ticket.ts';
import { getConnection } from '../../../shared/operations/connections/connections.ts';
import { requestConsent } from '../../../shared/operations/sign-ins/request-consent.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { MISHAPS } from '../../fakes/tables-but.ts';
import { COMPANY, CONNECTION, PLACE, TENANT } from '../connections/connection-world.ts';
import { SignInWorld } from './sign-in-world.ts';
import { codeOf, globalAdminOf, valueOf, type Walk } from './walk.ts';

const LINKS = linkRowKey('');
const STATES = stateRowKey('');
const ADA = globalAdminOf(TENANT);

let world: SignInWorld;
let walk: Walk;
beforeEach(async () => {
  world = new SignInWorld();
  walk = world.walk;
  await world.put();
});

const recorded = (action: string): number => world.records.filter((record) => record.action === action).length;
const rowsUnder = (prefix: string): number =>
  [...world.store.dump()].filter(({ rowKey }) => rowKey.startsWith(prefix)).length;
const removeCompany = (): void =>
  void world.tables.write('companies', COMPANY, [{ kind: 'delete', rowKey: COMPANY_ROW_KEY, etag: companyEtag() }]);
const companyEtag = (): string => world.store.peek('companies', COMPANY, COMPANY_ROW_KEY)!.etag;
const consentNow = async (): Promise<unknown> => valueOf(await getConnection(world.deps, PLACE)).value.consent;

describe.each(MISHAPS)('where a write ends as %s', (mishap) => {
  it('one link is made, and recorded once', async () => {
    world.trip(LINKS, mishap);
    const { ticket, expiresAt } = valueOf(await requestConsent(world.deps, PLACE, ADMIN));
    expect(rowsUnder(LINKS)).toBe(1);
    expect(recorded('consent.request')).toBe(1);
    expect(new Date(expiresAt).getTime()).toBe(world.nowMs + world.deps.signInTimes.linkMs);
    expect(valueOf(await walk.begin(ticket.text)).service).toBe('Microsoft');
  });

  it('a step is used up by the call that made it, once', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = world.signIns.accept(left.goTo);
    world.trip(STATES, mishap);
    expect(valueOf(await walk.comeBack(query, left.cookie)).type).toBe('departure');
    expect(codeOf(await walk.comeBack(query, left.cookie))).toBe('sign-in-used');
  });

  it('no step begins whose state may not be stored: the browser would come back with nothing', async () => {
    const link = await walk.link(PLACE);
    world.trip(STATES, mishap);
    await expect(walk.begin(link)).rejects.toThrow(StoreUnavailable);
    const { goTo, cookie } = await walk.toSignIn(link);
    const query = world.signIns.signIn(goTo, { service: 'microsoft', person: ADA });
    // The first write uses the sign-in up, the second stores the question.
    world.trip(STATES, 'answer-lost', () => world.trip(STATES, mishap));
    await expect(walk.comeBack(query, cookie)).rejects.toThrow(StoreUnavailable);
  });

  it('a question is declined, and that is recorded once', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    world.trip(STATES, mishap);
    expect(valueOf(await walk.answer(state, { cookie, answer: 'decline' })).type).toBe('declined');
    expect(recorded('consent.decline')).toBe(1);
    expect(codeOf(await walk.answer(state, { cookie, answer: 'decline' }))).toBe('sign-in-used');
  });

  it('consent is given, and that is recorded once', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    world.trip(STATES, mishap);
    const granted = valueOf(await walk.answer(state, { cookie }));
    expect(granted).toMatchObject({ type: 'granted', asked: { subject: PLACE_OF_SUBJECT }, principalId: PRINCIPAL });
    expect(recorded('consent.grant')).toBe(1);
    expect(await consentNow()).toMatchObject({ adminId: `${TENANT}/${ADA.objectId}` });
  });
});

const PLACE_OF_SUBJECT = { purpose: 'consent', connectionId: CONNECTION };
const PRINCIPAL = expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown;

describe('somebody else, in the middle of a step,', () => {
  it('takes the company away: no link is made', async () => {
    world.trip(LINKS, 'outrun', removeCompany);
    expect(await requestConsent(world.deps, PLACE, ADMIN)).toEqual({
      ok: false,
      error: { type: 'not-found', what: 'company', id: COMPANY },
    });
  });

  it('takes the company away: no consent is kept', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    world.trip(STATES, 'outrun', removeCompany);
    expect(codeOf(await walk.answer(state, { cookie }))).toBe('link-unknown');
    expect(await consentNow()).toBeUndefined();
  });

  it('begins to delete the company: its links are not known any more', async () => {
    const link = await walk.link(PLACE);
    world.companyIsNow('closing');
    expect(codeOf(await walk.begin(link))).toBe('link-unknown');
  });

  it('takes the state away: it is not known any more', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = world.signIns.accept(left.goTo);
    const rowKey = stateRowKey(parseTicket(new URL(left.goTo).searchParams.get('state') ?? '')!.hash);
    world.trip(STATES, 'outrun', async () => {
      const { etag } = world.store.peek('companies', COMPANY, rowKey)!;
      await world.tables.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag }]);
    });
    expect(codeOf(await walk.comeBack(query, left.cookie))).toBe('sign-in-unknown');
  });

  it('uses the state up: it was used', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = world.signIns.accept(left.goTo);
    world.trip(STATES, 'outrun', async () => void valueOf(await walk.comeBack(query, left.cookie)));
    expect(codeOf(await walk.comeBack(query, left.cookie))).toBe('sign-in-used');
  });

  it('answers the question: it was used, and is recorded once', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    const decline = (): ReturnType<Walk['answer']> => walk.answer(state, { cookie, answer: 'decline' });
    world.trip(STATES, 'outrun', async () => void valueOf(await decline()));
    expect(codeOf(await decline())).toBe('sign-in-used');
    expect(recorded('consent.decline')).toBe(1);
    expect(world.records.at(-1)).toMatchObject({
      action: 'sign-in.refused',
      by: `${TENANT}/${ADA.objectId}`,
      target: connectionRowKey(CONNECTION),
      told: { code: 'sign-in-used', step: 'confirm' },
    });
  });

  it('names another key: a yes to the one before is none, and the question stays open', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    world.vaults.onCall = async ({ operation }) => {
      if (operation === 'obtainToken') await world.put({ keyName: 'other' });
    };
    expect(codeOf(await walk.answer(state, { cookie }))).toBe('link-expired');
    expect(await consentNow()).toBeUndefined();
    const stored = world.store.peek('companies', COMPANY, stateRowKey(hashOf(state)));
    expect(stored?.cells).toMatchObject({ usedAt: '' });
    expect(world.store.peek('companies', COMPANY, connectionRowKey(CONNECTION))?.cells).toMatchObject({
      keyName: 'other',
    });
  });
});
