import { beforeEach, describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../shared/domain/failure.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Result } from '../../../shared/domain/result.ts';
import { PRIVILEGED_ROLE_ADMINISTRATOR } from '../../../shared/identity/entra/admin.ts';
import { connectionRowKey, stateRowKey } from '../../../shared/store/rows/row-keys.ts';
import { hashOf, ticketOf } from '../../../shared/domain/ticket.ts';
import { MAX_CALLS_PER_MINUTE, MAX_SIGN_INS_PER_MINUTE } from '../../../shared/store/call-limit.ts';
import { requestConsent } from '../../../shared/operations/sign-ins/request-consent.ts';
import { getConnection } from '../../../shared/operations/connections/connections.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { COMPANY, HOST, OTHER_HOST, OTHER_TENANT, PLACE, TENANT } from '../connections/connection-world.ts';
import { LINK_MS, SignInWorld, STEP_MS } from './sign-in-world.ts';
import { codeOf, globalAdminOf, valueOf, type Walk } from './walk.ts';

const MINUTE_MS = 60_000;
const ADA = globalAdminOf(TENANT);

let world: SignInWorld;
let walk: Walk;
beforeEach(async () => {
  world = new SignInWorld();
  walk = world.walk;
  await world.put();
});

const consentNow = async (): Promise<unknown> => {
  const connection = valueOf(await getConnection(world.deps, PLACE));
  return connection.value.consent;
};

/** Everything stored but the record, the limits and the states themselves. */
const whatCounts = (): unknown =>
  [...world.store.dump()].filter(
    ({ table, rowKey }) => (table === 'companies' && rowKey.startsWith('connection|')) || table === 'vaultkeys',
  );

describe('consent', () => {
  it('is asked twice, proved by a sign-in and a token, and kept on the connection with who gave it', async () => {
    const granted = valueOf(await walk.through(PLACE, ADA));
    expect(granted.type).toBe('granted');
    expect(await consentNow()).toMatchObject({
      grantedAt: new Date(world.nowMs).toISOString(),
      adminId: `${TENANT}/${ADA.objectId}`,
    });
    expect(world.signIns.calls).toEqual([
      `adminConsentUrl ${TENANT}`,
      `microsoftUrl ${TENANT}`,
      `redeemMicrosoft ${TENANT}`,
    ]);
    expect(world.vaults.countOf('obtainToken')).toBe(1);
    expect(await world.events()).toEqual(['connection.put:done', 'consent.request:done', 'consent.grant:done']);
  });

  it('claims the vault key for the company', async () => {
    await walk.through(PLACE, ADA);
    const claim = await world.tables.read('vaultkeys', `${HOST}|main-key`, 'claim');
    expect(claim?.cells).toMatchObject({ companyId: COMPANY, state: 'held' });
  });

  it('may be given by a Privileged Role Administrator', async () => {
    const person = { ...ADA, roleTemplateIds: [PRIVILEGED_ROLE_ADMINISTRATOR] };
    expect(valueOf(await walk.through(PLACE, person)).type).toBe('granted');
  });

  it('stores no ticket, cookie, verifier or nonce, and no code', async () => {
    const link = await walk.link(PLACE);
    const { state, cookie } = await walk.toQuestion(link, ADA);
    valueOf(await walk.answer(state, { cookie }));
    const stored = JSON.stringify([...world.store.dump()]) + JSON.stringify(world.logged);
    for (const secret of [link.split('~')[1], state.split('~')[1], ...cookie.split('.'), 'code-1']) {
      expect(stored).not.toContain(secret);
    }
  });

  it('is declined without a trace but its record', async () => {
    const link = await walk.link(PLACE);
    const before = whatCounts();
    const { state, cookie } = await walk.toQuestion(link, ADA);
    expect(valueOf(await walk.answer(state, { cookie, answer: 'decline' })).type).toBe('declined');
    expect(whatCounts()).toEqual(before);
    expect(await world.events()).toContain('consent.decline:done');
    expect(codeOf(await walk.answer(state, { cookie }))).toBe('sign-in-used');
  });

  it('can be given anew', async () => {
    await walk.through(PLACE, ADA);
    world.nowMs += 3 * LINK_MS;
    await walk.through(PLACE, ADA);
    expect(await consentNow()).toMatchObject({ grantedAt: new Date(world.nowMs).toISOString() });
  });

  it('is void when the key, the vault or the app is changed', async () => {
    await walk.through(PLACE, ADA);
    await world.put({ keyName: 'other' });
    expect(await consentNow()).toBeUndefined();
  });
});

describe('a link', () => {
  it('consumes nothing when it is opened, however often', async () => {
    const link = await walk.link(PLACE);
    for (let scanner = 0; scanner < 3; scanner += 1) valueOf(await walk.begin(link));
    const { state, cookie } = await walk.toQuestion(link, ADA);
    expect(valueOf(await walk.answer(state, { cookie })).type).toBe('granted');
  });

  it('begins so many sign-ins a minute, and holds up no other link', async () => {
    const [hammered, other] = [await walk.link(PLACE), await walk.link(PLACE)];
    for (let press = 0; press < MAX_CALLS_PER_MINUTE; press += 1) valueOf(await walk.begin(hammered));
    expect(await walk.begin(hammered)).toMatchObject({ error: { refusal: { type: 'limited' } } });
    valueOf(await walk.begin(other));
    world.nowMs += MINUTE_MS;
    valueOf(await walk.begin(hammered));
  });

  it('of very many of one company begins no more sign-ins a minute than leave rows in bounds, and takes rows that are over away', async () => {
    const links = [];
    for (let index = 0; index * MAX_CALLS_PER_MINUTE <= MAX_SIGN_INS_PER_MINUTE; index += 1)
      links.push(await walk.link(PLACE));
    let begun = 0;
    for (const link of links)
      for (let press = 0; press < MAX_CALLS_PER_MINUTE; press += 1) if ((await walk.begin(link)).ok) begun += 1;
    expect(begun).toBe(MAX_SIGN_INS_PER_MINUTE);
    const states = (): number =>
      [...world.store.dump()].filter(({ rowKey }) => rowKey.startsWith(stateRowKey(''))).length;
    expect(states()).toBe(MAX_SIGN_INS_PER_MINUTE);
    world.nowMs += 25 * 60 * MINUTE_MS + STEP_MS;
    const fresh = await walk.link(PLACE);
    const before = states();
    for (let minute = 0; minute < 3; minute += 1) {
      world.nowMs += MINUTE_MS;
      for (let press = 0; press < MAX_CALLS_PER_MINUTE; press += 1) valueOf(await walk.begin(fresh));
    }
    expect(states()).toBeLessThan(before);
  });

  it('serves once', async () => {
    const link = await walk.link(PLACE);
    const { state, cookie } = await walk.toQuestion(link, ADA);
    await walk.answer(state, { cookie });
    expect(codeOf(await walk.begin(link))).toBe('link-done');
  });

  it('expires', async () => {
    const link = await walk.link(PLACE);
    world.nowMs += LINK_MS;
    await expectRefused(() => walk.begin(link), 'link-expired');
  });

  it.each([
    ['another key', { keyName: 'other' }],
    ['another vault', { vaultUri: `https://${OTHER_HOST}` }],
  ])('is void once the connection names %s', async (_what, change) => {
    const link = await walk.link(PLACE);
    const { state, cookie } = await walk.toQuestion(link, ADA);
    await world.put(change);
    expect(codeOf(await walk.begin(link))).toBe('link-expired');
    expect(codeOf(await walk.answer(state, { cookie }))).toBe('link-expired');
    expect(await consentNow()).toBeUndefined();
  });

  it.each([
    ['made up', ticketOf(COMPANY, new Uint8Array(32)).text],
    ['of a company that is none', ticketOf('nobody', new Uint8Array(32)).text],
    ['that is no ticket', 'x'],
    ['that is empty', ''],
  ])('%s is not known', async (_what, link) => {
    expect(codeOf(await walk.begin(link))).toBe('link-unknown');
  });

  it('is refused if another site pressed its button, and that is recorded', async () => {
    const link = await walk.link(PLACE);
    expect(codeOf(await walk.begin(link, { isCrossSite: true }))).toBe('cross-site-request');
    expect((await world.events()).at(-1)).toBe('sign-in.refused:refused:cross-site-request');
  });

  it('asks the vault for its tenant if nobody has yet, and pins it', async () => {
    await walk.link(PLACE);
    expect((await world.cells())['tenantId']).toBe(TENANT);
    expect(world.vaults.countOf('obtainToken')).toBe(0);
  });

  it('is not made for a vault of another tenant than the connection names', async () => {
    world.vaults.addVault({ host: OTHER_HOST, tenantId: OTHER_TENANT });
    await world.put({ vaultUri: `https://${OTHER_HOST}`, tenantId: TENANT });
    expect(codeOf(await requestConsent(world.deps, PLACE, ADMIN))).toBe('wrong-entra-tenant');
  });

  it('is tidied away a day after its end, with its states', async () => {
    await walk.toQuestion(await walk.link(PLACE), ADA);
    world.nowMs += 2 * LINK_MS + 1;
    await walk.link(PLACE);
    const left = [...world.store.dump()].filter(({ rowKey }) => rowKey.startsWith('consent|'));
    expect(left).toHaveLength(1);
  });
});

/** Refused with its code, recorded, and nothing changed. */
async function expectRefused(
  attempt: () => Promise<Result<unknown, { readonly refusal: Refusal }>>,
  code: FailureCode,
): Promise<void> {
  const before = whatCounts();
  expect(codeOf(await attempt())).toBe(code);
  expect(await world.events()).toContain(`sign-in.refused:refused:${code}`);
  expect(whatCounts()).toEqual(before);
  expect(await consentNow()).toBeUndefined();
}

describe('the redirect back from admin consent', () => {
  it('proves nothing: what follows is a sign-in', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const back = valueOf(await walk.comeBack(world.signIns.accept(left.goTo), left.cookie));
    expect(back.type).toBe('departure');
    expect(await consentNow()).toBeUndefined();
  });

  it('with an error is refused by the error, though it says admin_consent=True', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = world.signIns.refuse(left.goTo, 'consent_required', 'AADSTS65004: User declined to consent.');
    expect(query).toContain('admin_consent=True');
    await expectRefused(() => walk.comeBack(query, left.cookie), 'consent-declined');
  });

  it('that names another tenant is refused', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = new URLSearchParams(world.signIns.accept(left.goTo));
    query.set('tenant', OTHER_TENANT);
    await expectRefused(() => walk.comeBack(query.toString(), left.cookie), 'sign-in-wrong-tenant');
  });

  it.each<[string, (query: string) => string, FailureCode]>([
    ['forged', () => `state=${ticketOf(COMPANY, new Uint8Array(32)).text}&admin_consent=True`, 'sign-in-unknown'],
    ['with a state of its link', (query) => query.replace(/state=[^&]*/, 'state=LINK'), 'sign-in-unknown'],
  ])('%s is refused', async (_what, change, code) => {
    const link = await walk.link(PLACE);
    const left = valueOf(await walk.begin(link));
    const query = change(world.signIns.accept(left.goTo)).replace('LINK', encodeURIComponent(link));
    const before = whatCounts();
    expect(codeOf(await walk.comeBack(query, left.cookie))).toBe(code);
    // Nobody was given it, so it is not recorded.
    expect(await world.events()).toEqual(['connection.put:done', 'consent.request:done']);
    expect(whatCounts()).toEqual(before);
  });

  it('without a state, or with two, is nobody’s', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = world.signIns.accept(left.goTo);
    expect(codeOf(await walk.comeBack('admin_consent=True', left.cookie))).toBe('sign-in-unknown');
    expect(codeOf(await walk.comeBack(`${query}&${query}`, left.cookie))).toBe('sign-in-unknown');
  });

  it('a second time is refused', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = world.signIns.accept(left.goTo);
    valueOf(await walk.comeBack(query, left.cookie));
    await expectRefused(() => walk.comeBack(query, left.cookie), 'sign-in-used');
  });

  it('twice at once counts once', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    const query = world.signIns.accept(left.goTo);
    const both = await Promise.all([walk.comeBack(query, left.cookie), walk.comeBack(query, left.cookie)]);
    expect(both.map(codeOf).toSorted()).toEqual(['sign-in-used', undefined]);
  });

  it('too late is refused', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    world.nowMs += STEP_MS;
    await expectRefused(() => walk.comeBack(world.signIns.accept(left.goTo), left.cookie), 'sign-in-expired');
  });

  it('in another browser is refused, and the first can go on', async () => {
    const link = await walk.link(PLACE);
    const victim = valueOf(await walk.begin(link));
    const attacker = valueOf(await walk.begin(link));
    const query = world.signIns.accept(attacker.goTo);
    await expectRefused(() => walk.comeBack(query, victim.cookie), 'sign-in-other-browser');
    await expectRefused(() => walk.comeBack(query, undefined), 'sign-in-other-browser');
    expect(valueOf(await walk.comeBack(query, attacker.cookie)).type).toBe('departure');
  });

  it('is not enough for a sign-in at a tenant that Entra does not know', async () => {
    const left = valueOf(await walk.begin(await walk.link(PLACE)));
    world.signIns.failNext('microsoftUrl', 'entra-tenant-not-found');
    await expectRefused(() => walk.comeBack(world.signIns.accept(left.goTo), left.cookie), 'entra-tenant-not-found');
  });
});

describe('the sign-in', () => {
  it.each<[string, Partial<typeof ADA> | 'no wids', FailureCode]>([
    [
      'without a role that may consent',
      { roleTemplateIds: ['b79fbf4d-3ef9-4689-8143-76b194e85509'] },
      'admin-role-missing',
    ],
    ['of another tenant', { tenantId: OTHER_TENANT }, 'sign-in-wrong-tenant'],
    ['whose token says nothing of roles', 'no wids', 'wids-not-emitted'],
  ])('of somebody %s is refused', async (_what, change, code) => {
    const { goTo, cookie } = await walk.toSignIn(await walk.link(PLACE));
    const { roleTemplateIds: _roles, ...bare } = ADA;
    const person = change === 'no wids' ? bare : { ...ADA, ...change };
    const query = world.signIns.signIn(goTo, { service: 'microsoft', person });
    await expectRefused(() => walk.comeBack(query, cookie), code);
  });

  it('that is older than the step is refused: nobody signed in for this', async () => {
    const { goTo, cookie } = await walk.toSignIn(await walk.link(PLACE));
    const before = new Date(world.nowMs - 61_000);
    const query = world.signIns.signIn(goTo, { service: 'microsoft', person: ADA }, before);
    world.nowMs += 120_000;
    await expectRefused(() => walk.comeBack(query, cookie), 'sign-in-not-fresh');
  });

  it('whose time is not told is refused: that is the move of the vendor', async () => {
    world.signIns.tellsAuthTime.microsoft = false;
    const { goTo, cookie } = await walk.toSignIn(await walk.link(PLACE));
    const query = world.signIns.signIn(goTo, { service: 'microsoft', person: ADA });
    await expectRefused(() => walk.comeBack(query, cookie), 'auth-time-not-emitted');
  });

  it.each<FailureCode>([
    'id-token-wrong-audience',
    'id-token-wrong-issuer',
    'id-token-wrong-key',
    'id-token-algorithm',
    'id-token-expired',
    'id-token-from-future',
    'id-token-wrong-nonce',
    'id-token-invalid',
    'federation-mismatch',
    'entra-unreachable',
  ])('that ends in %s is refused', async (code) => {
    const { goTo, cookie } = await walk.toSignIn(await walk.link(PLACE));
    world.signIns.failNext('redeemMicrosoft', code);
    const query = world.signIns.signIn(goTo, { service: 'microsoft', person: ADA });
    await expectRefused(() => walk.comeBack(query, cookie), code);
  });

  it('with the code of another sign-in is refused', async () => {
    const link = await walk.link(PLACE);
    const victim = await walk.toSignIn(link);
    const attacker = await walk.toSignIn(link);
    const code = new URLSearchParams(world.signIns.signIn(attacker.goTo, { service: 'microsoft', person: ADA }));
    const state = new URL(victim.goTo).searchParams.get('state') ?? '';
    code.set('state', state);
    await expectRefused(() => walk.comeBack(code.toString(), victim.cookie), 'sign-in-other-browser');
  });

  it('is not the place for a state of another step', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    const query = new URLSearchParams({ code: 'x', state }).toString();
    await expectRefused(() => walk.comeBack(query, cookie), 'sign-in-unknown');
    const asked = await walk.toSignIn(await walk.link(PLACE));
    const signInState = new URL(asked.goTo).searchParams.get('state') ?? '';
    await expectRefused(() => walk.answer(signInState, { cookie: asked.cookie }), 'sign-in-unknown');
  });
});

describe('the second question', () => {
  it('answered in another browser, from another site, twice or too late is refused', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    await expectRefused(() => walk.answer(state, { cookie: 'verifier.nonce' }), 'sign-in-other-browser');
    await expectRefused(() => walk.answer(state, { cookie, isCrossSite: true }), 'cross-site-request');
    world.nowMs += STEP_MS;
    await expectRefused(() => walk.answer(state, { cookie }), 'sign-in-expired');
  });

  it('answered twice at once counts once', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    const both = await Promise.all([walk.answer(state, { cookie }), walk.answer(state, { cookie })]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect((await world.events()).filter((event) => event === 'consent.grant:done')).toHaveLength(1);
  });

  it.each(Array.from({ length: 24 }, (_, read) => read + 1))(
    'that another answer takes up behind read %i of this one is told to be answered to the later of the two',
    async (behind) => {
      const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
      const read = world.tables.read.bind(world.tables);
      const codes: (string | undefined)[] = [];
      let reads = 0;
      world.tables.read = async (...parameters) => {
        const row = await read(...parameters);
        reads += 1;
        if (reads !== behind) return row;
        world.tables.read = read;
        codes.push(codeOf(await walk.answer(state, { cookie })));
        return row;
      };
      codes.push(codeOf(await walk.answer(state, { cookie })));
      world.tables.read = read;
      // This one needs fewer reads than that: then there was no other.
      if (codes.length === 1) expect(codes).toEqual([undefined]);
      else expect(codes.toSorted()).toEqual(['sign-in-used', undefined]);
      if (codes.length > 1) expect(await world.events()).toContain('sign-in.refused:refused:sign-in-used');
    },
  );

  it('is granted once though every answer of the store is lost', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    let left = 4;
    world.tables.at(({ table }) => table !== 'events' && table !== 'agenda' && left-- > 0).losesTheAnswer();
    expect(valueOf(await walk.answer(state, { cookie })).type).toBe('granted');
    expect((await world.events()).filter((event) => event === 'consent.grant:done')).toHaveLength(1);
  });

  it('needs a token that is really had: what may pass leaves it open, and consent is none until then', async () => {
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    world.vaults.fail({ operation: 'obtainToken', failure: 'entra-unreachable', times: 1 });
    await expectRefused(() => walk.answer(state, { cookie }), 'entra-unreachable');
    world.vaults.fail({ operation: 'obtainToken', failure: 'consent-required', times: 1 });
    await expectRefused(() => walk.answer(state, { cookie }), 'consent-required');
    expect(valueOf(await walk.answer(state, { cookie })).type).toBe('granted');
  });

  it('that has not arrived everywhere yet says so, on the way back and at the answer, and names no command', async () => {
    const arriving = {
      refusal: {
        failure: { code: 'consent-required', kind: 'propagating', remedy: { text: expect.any(String) as string } },
      },
    };
    const { goTo, cookie } = await walk.toSignIn(await walk.link(PLACE));
    world.signIns.failNext('redeemMicrosoft', 'consent-required');
    const query = world.signIns.signIn(goTo, { service: 'microsoft', person: ADA });
    expect(await walk.comeBack(query, cookie)).toMatchObject({ ok: false, error: arriving });
    const question = await walk.toQuestion(await walk.link(PLACE), ADA);
    world.vaults.fail({ operation: 'obtainToken', failure: 'consent-required', times: 1 });
    const answered = await walk.answer(question.state, { cookie: question.cookie });
    expect(answered).toMatchObject({ ok: false, error: arriving });
    expect(JSON.stringify(answered)).not.toContain('az ad sp');
    expect(valueOf(await walk.answer(question.state, { cookie: question.cookie })).type).toBe('granted');
  });

  it('is refused for a key that another company has claimed, as a security event', async () => {
    const named = connectionRowKey(PLACE.connectionId);
    world.store.tamper('companies', 'globex', named, world.store.peek('companies', COMPANY, named)!.cells);
    world.store.tamper('vaultkeys', `${HOST}|main-key`, 'claim', {
      format: 1,
      companyId: 'globex',
      state: 'held',
      claimedAt: '2026-01-01T00:00:00.000Z',
    });
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    await expectRefused(() => walk.answer(state, { cookie }), 'vault-key-in-use');
    expect(await world.events()).toContain('security.vault-key-in-use:detected');
  });

  it('gives no claim to the key of a vault that belongs to another tenant than the one that consents', async () => {
    const vault = world.vaults.addVault({ host: OTHER_HOST, tenantId: TENANT });
    await world.put({ vaultUri: `https://${OTHER_HOST}`, tenantId: TENANT });
    const { state, cookie } = await walk.toQuestion(await walk.link(PLACE), ADA);
    vault.tenantId = OTHER_TENANT;
    await expectRefused(() => walk.answer(state, { cookie }), 'wrong-entra-tenant');
    expect(world.vaults.countOf('obtainToken')).toBe(0);
  });

  it('is not put to somebody who never signed in, though a row says that they did', async () => {
    const link = await walk.link(PLACE);
    const { state, cookie } = await walk.toQuestion(link, ADA);
    const rowKey = stateRowKey(hashOf(state));
    const row = await world.tables.read('companies', COMPANY, rowKey);
    const person = JSON.parse(String(row?.cells['person'])) as object;
    for (const change of [
      { person: JSON.stringify({ ...person, id: `${TENANT}/somebody` }) },
      { person: '' },
      { browser: hashOf('verifier.nonce') },
    ]) {
      world.store.tamper('companies', COMPANY, rowKey, { ...row?.cells, ...change });
      const shown = 'browser' in change ? 'verifier.nonce' : cookie;
      await expectRefused(() => walk.answer(state, { cookie: shown }), 'row-forged');
    }
    expect(await world.events()).toContain('security.row-forged:detected');
    expect(world.vaults.countOf('obtainToken')).toBe(0);
  });
});
