// What is told to whom when a sign-in is refused, and what the record says of it.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Failure } from '../../../shared/domain/failure.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Result } from '../../../shared/domain/result.ts';
import { connectionRowKey, linkRowKey, stateRowKey } from '../../../shared/store/rows/row-keys.ts';
import { hashOf, ticketOf } from '../../../shared/domain/ticket.ts';
import { deleteConnection, getConnection } from '../../../shared/operations/connections/connections.ts';
import { MAX_WRITES_PER_TRANSACTION } from '../../../shared/store/tables.ts';
import { requestConsent } from '../../../shared/operations/sign-ins/request-consent.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { COMPANY, CONNECTION, HOST, PLACE, TENANT } from '../connections/connection-world.ts';
import { LINK_MS, SignInWorld } from './sign-in-world.ts';
import { codeOf, globalAdminOf, valueOf, type Walk } from './walk.ts';

const ADA = globalAdminOf(TENANT);
const NOBODYS = ticketOf('nobody', new Uint8Array(32)).text;
const MADE_UP = ticketOf(COMPANY, new Uint8Array(32)).text;
const IN_LETTERS = 'abcdefab-0000-4000-8000-00000000000a';
const CHANGED = 'what it asks for has been changed since';

let world: SignInWorld;
let walk: Walk;
beforeEach(async () => {
  world = new SignInWorld();
  walk = world.walk;
  await world.put();
});

type Attempt = Promise<Result<unknown, { readonly refusal: Refusal; readonly asked?: unknown }>>;

async function errorOf(attempt: Attempt): Promise<{ readonly refusal: Refusal; readonly asked?: unknown }> {
  const result = await attempt;
  if (result.ok) throw new Error('it was not refused');
  return result.error;
}

async function failureOf(attempt: Attempt): Promise<Failure> {
  const { refusal } = await errorOf(attempt);
  if (refusal.type !== 'failure') throw new Error(refusal.type);
  return refusal.failure;
}

const lastRecord = (): unknown => {
  const { action, target, outcome, told } = world.records.at(-1)!;
  return { action, target, outcome, told };
};
const refusedRecord = (code: string, step: string, target: string): unknown => ({
  action: 'sign-in.refused',
  target,
  outcome: 'refused',
  told: { code, step },
});
const OF_CONNECTION = connectionRowKey(CONNECTION);
const ASKED = { company: { companyId: COMPANY }, subject: { purpose: 'consent', connectionId: CONNECTION } };
const consentNow = async (): Promise<unknown> => valueOf(await getConnection(world.deps, PLACE)).value.consent;

describe('a refusal', () => {
  it('names the step and what it was about', async () => {
    const link = await walk.link(PLACE);
    const met = await errorOf(walk.begin(link, { isCrossSite: true }));
    expect(met.asked).toMatchObject(ASKED);
    expect(lastRecord()).toEqual(refusedRecord('cross-site-request', 'begin', OF_CONNECTION));

    const left = valueOf(await walk.begin(link));
    const declined = world.signIns.refuse(left.goTo, 'consent_required', 'AADSTS65004: User declined to consent.');
    const failure = await failureOf(walk.comeBack(declined, left.cookie));
    expect(failure).toMatchObject({ code: 'consent-declined', facts: { tenantId: TENANT } });
    expect(lastRecord()).toEqual(refusedRecord('consent-declined', 'admin-consent', OF_CONNECTION));

    const { goTo, cookie } = await walk.toSignIn(link);
    const person = { ...ADA, roleTemplateIds: [] };
    const nobody = await errorOf(walk.comeBack(world.signIns.signIn(goTo, { service: 'microsoft', person }), cookie));
    expect(nobody.asked).toMatchObject(ASKED);
    expect(lastRecord()).toEqual(refusedRecord('admin-role-missing', 'sign-in', OF_CONNECTION));

    const question = await walk.toQuestion(link, ADA);
    await errorOf(walk.answer(question.state, { cookie: question.cookie, isCrossSite: true }));
    expect(lastRecord()).toEqual(refusedRecord('cross-site-request', 'confirm', OF_CONNECTION));
  });

  it('of what nobody knows names nothing that it was about', async () => {
    expect(await errorOf(walk.begin(MADE_UP))).not.toHaveProperty('asked');
    expect(await errorOf(walk.comeBack(`state=${MADE_UP}`, undefined))).not.toHaveProperty('asked');
    expect(await errorOf(walk.answer(MADE_UP, { cookie: undefined }))).not.toHaveProperty('asked');
  });

  it('of a step that is known names it, though it is in another browser', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    await errorOf(walk.comeBack(world.signIns.accept(left.goTo), 'verifier.nonce'));
    expect(lastRecord()).toEqual(refusedRecord('sign-in-other-browser', 'admin-consent', 'sign-in'));
  });

  it('in the name of no company makes no record', async () => {
    expect(codeOf(await walk.begin(NOBODYS))).toBe('link-unknown');
    expect(codeOf(await walk.comeBack(`state=${NOBODYS}`, undefined))).toBe('sign-in-unknown');
    expect(codeOf(await walk.answer(NOBODYS, { cookie: undefined }))).toBe('sign-in-unknown');
    for (const text of ['', 'x']) {
      expect(codeOf(await walk.begin(text))).toBe('link-unknown');
      expect(codeOf(await walk.comeBack(`state=${text}`, undefined))).toBe('sign-in-unknown');
      expect(codeOf(await walk.answer(text, { cookie: undefined }))).toBe('sign-in-unknown');
    }
    expect(world.records.map(({ action }) => action)).toEqual(['connection.put']);
    const partitions = new Set([...world.store.dump()].map(({ partitionKey }) => partitionKey));
    expect(partitions).not.toContain('nobody');
  });

  it('because too many write at once is no failure, and makes no record', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    world.tables.at(({ writes }) => writes.some(({ rowKey }) => rowKey.startsWith(stateRowKey('')))).isOutrun();
    const met = await errorOf(walk.comeBack(world.signIns.accept(left.goTo), left.cookie));
    expect(met.refusal.type).toBe('busy');
    expect(met.asked).toMatchObject(ASKED);
    expect((await world.events()).at(-1)).toBe('consent.request:done');
  });
});

describe('a link that is void', () => {
  it('says that what it asks for has changed, wherever on the way', async () => {
    const link = await walk.link(PLACE);
    const left = valueOf(await walk.begin(link));
    await world.put({ keyName: 'other' });
    const failure = await failureOf(walk.begin(link));
    expect(failure).toMatchObject({ code: 'link-expired', facts: { detail: CHANGED } });
    const late = await errorOf(walk.comeBack(world.signIns.accept(left.goTo), left.cookie));
    expect(late).not.toHaveProperty('asked');
    expect(late.refusal).toMatchObject({ failure: { code: 'link-expired', facts: { detail: CHANGED } } });
    expect(lastRecord()).toEqual(refusedRecord('link-expired', 'admin-consent', 'sign-in'));
  });

  it('is one to a connection that is gone, or that names no tenant any more', async () => {
    const link = await walk.link(PLACE);
    valueOf(await deleteConnection(world.deps, { ...PLACE, condition: {} }, ADMIN));
    const about = { code: 'link-expired', facts: { detail: CHANGED } };
    expect(await failureOf(walk.begin(link))).toMatchObject(about);
    await world.put();
    expect(await failureOf(walk.begin(link))).toMatchObject(about);
  });

  it('is none if somebody has forged the connection: that is told as what it is, as a security event', async () => {
    const link = await walk.link(PLACE);
    await world.tamper({ keyName: 'theirs' });
    expect(await failureOf(walk.begin(link))).toMatchObject({ code: 'row-forged', facts: { detail: OF_CONNECTION } });
    expect(await world.events()).toContain('security.row-forged:detected');
    expect(codeOf(await requestConsent(world.deps, PLACE, ADMIN))).toBe('row-forged');
  });
});

describe('a link', () => {
  it('is made for a connection that there is', async () => {
    expect(await requestConsent(world.deps, { ...PLACE, connectionId: 'none' }, ADMIN)).toEqual({
      ok: false,
      error: { type: 'not-found', what: 'connection', id: 'none' },
    });
  });

  it('leaves a connection alone whose tenant is known', async () => {
    await walk.link(PLACE);
    const pinned = world.store.peek('companies', COMPANY, OF_CONNECTION);
    await walk.link(PLACE);
    expect(world.store.peek('companies', COMPANY, OF_CONNECTION)).toEqual(pinned);
  });

  it('is kept for a day after its end, to the millisecond', async () => {
    await walk.link(PLACE);
    world.nowMs += 2 * LINK_MS;
    await walk.link(PLACE);
    const links = [...world.store.dump()].filter(({ rowKey }) => rowKey.startsWith(linkRowKey('')));
    expect(links).toHaveLength(2);
  });

  it('is made though more is to be tidied away than one transaction takes', async () => {
    const old = { format: 1, expiresAt: '2020-01-01T00:00:00.000Z' };
    for (let index = 0; index < MAX_WRITES_PER_TRANSACTION + 20; index += 1) {
      world.store.tamper('companies', COMPANY, stateRowKey(`old-${index}`), old);
    }
    const left = (): unknown[] =>
      [...world.store.dump()].filter(({ rowKey }) => rowKey.startsWith(stateRowKey('old-')));
    await walk.link(PLACE);
    // One write of the transaction says where the next link goes on.
    expect(left()).toHaveLength(21);
    await walk.link(PLACE);
    expect(left()).toEqual([]);
  });
});

describe('the redirect back from admin consent', () => {
  it.each<[string, (query: URLSearchParams) => void]>([
    ['names no tenant', (query) => query.delete('tenant')],
    ['spells the tenant in capitals', (query) => query.set('tenant', IN_LETTERS.toUpperCase())],
  ])('may be one that %s', async (_what, change) => {
    world.vaults.addVault({ host: HOST, tenantId: IN_LETTERS });
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = new URLSearchParams(world.signIns.accept(left.goTo));
    expect(query.get('tenant')).toBe(IN_LETTERS);
    change(query);
    const back = valueOf(await walk.comeBack(query.toString(), left.cookie));
    expect(back).toMatchObject({ type: 'departure', service: 'Microsoft' });
  });

  it('that names another tenant is told which one was meant', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = new URLSearchParams(world.signIns.accept(left.goTo));
    query.set('tenant', 'ffffffff-0000-4000-8000-00000000000f');
    const { facts } = await failureOf(walk.comeBack(query.toString(), left.cookie));
    expect(facts).toEqual({ tenantId: TENANT, detail: 'the redirect names another tenant' });
  });
});

describe('a seal that cannot be made', () => {
  it('asks no second question', async () => {
    const { goTo, cookie } = await walk.toSignIn(await walk.link(PLACE));
    world.vaults.fail({ operation: 'sign', failure: 'throttled', times: 1 });
    const query = world.signIns.signIn(goTo, { service: 'microsoft', person: ADA });
    expect(codeOf(await walk.comeBack(query, cookie))).toBe('throttled');
    expect(lastRecord()).toEqual(refusedRecord('throttled', 'sign-in', OF_CONNECTION));
  });

  it('keeps no consent, and leaves the question open', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    world.vaults.fail({ operation: 'sign', failure: 'throttled', times: 1 });
    expect(codeOf(await walk.answer(state, { cookie }))).toBe('throttled');
    expect(await consentNow()).toBeUndefined();
    expect(valueOf(await walk.answer(state, { cookie })).type).toBe('granted');
  });
});

describe('what is told of a consent', () => {
  const logged = (event: string): unknown => world.logged.find((entry) => entry.event === event);

  it('says in the record and the log who gave it, and to what', async () => {
    const granted = valueOf(await walk.through(PLACE, ADA));
    if (granted.type !== 'granted') throw new Error(granted.type);
    const { action, by, target, told } = world.records.at(-1)!;
    const { principalId } = granted;
    expect({ action, by, target }).toEqual({
      action: 'consent.grant',
      by: `${TENANT}/${ADA.objectId}`,
      target: OF_CONNECTION,
    });
    expect(told).toEqual({ tenantId: TENANT, vaultHost: HOST, keyName: 'main-key', principalId });
    expect(logged('consent.granted')).toEqual({
      level: 'info',
      event: 'consent.granted',
      detail: { companyId: COMPANY, connection: OF_CONNECTION, admin: `${TENANT}/${ADA.objectId}` },
    });
  });

  it('says so if it could not be kept', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    world.vaults.fail({ operation: 'sign', failure: 'throttled', times: 1 });
    await walk.answer(state, { cookie });
    expect(logged('consent.not-granted')).toMatchObject({ level: 'warning', detail: { connection: OF_CONNECTION } });
    expect(logged('consent.granted')).toBeUndefined();
  });

  it('names the row of a state that was forged', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    const rowKey = stateRowKey(hashOf(state));
    const { cells } = world.store.peek('companies', COMPANY, rowKey)!;
    for (const person of ['', String(cells['person']).replace('Ada', 'Eve')]) {
      world.logged.length = 0;
      world.store.tamper('companies', COMPANY, rowKey, { ...cells, person });
      expect(codeOf(await walk.answer(state, { cookie }))).toBe('row-forged');
      expect(logged('security.row-forged')).toMatchObject({ detail: { companyId: COMPANY, row: rowKey } });
    }
  });
});
