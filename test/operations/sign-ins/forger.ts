// Somebody who writes the tables and has an Entra tenant of their own, left to chance: rows are swapped, copied, also from another company, aimed at others
// and put back between the steps of sign-ins, honest ones and their own. What counts in the end must have been said, and what it grants given.
import type { SignInSubject } from '../../../shared/domain/sign-in-subject.ts';
import { destinationDigest, type Approval } from '../../../shared/domain/approval.ts';
import { targetOfConnection } from '../../../shared/domain/connection.ts';
import { exportCells } from '../../../shared/store/rows/export-rows.ts';
import {
  connectionRowKey,
  exportRowKey,
  linkRowKey,
  stateRowKey,
  switchRowKey,
  tenantRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { readConnection } from '../../../shared/store/rows/sealed-rows.ts';
import { tenantCells } from '../../../shared/store/rows/tenant-rows.ts';
import type { TenantRef } from '../../../shared/domain/tenant.ts';
import { parseTicket, ticketOf } from '../../../shared/domain/ticket.ts';
import type { Cells, StoredRow } from '../../../shared/store/tables.ts';
import type { GooglePerson } from '../../../shared/identity/google/admin.ts';
import { requestVerification } from '../../../shared/operations/sign-ins/request-verification.ts';
import { shownOf } from '../../../shared/operations/sign-ins/asked.ts';
import type { SignInDependencies } from '../../../shared/operations/sign-ins/step.ts';
import { digestOfConnection } from '../../../shared/operations/sign-ins/subject-now.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { destinationOf } from '../../../shared/operations/tenants/destination.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import type { FakeVault } from '../../fakes/fake-vaults.ts';
import { Chance } from '../../simulation/chance.ts';
import { COMPANY, CONTOSO, CUSTOMER_TENANT, KEYRING, place, Rig } from '../switches/rig.ts';
import { ENTRA, GOOGLE, OTHER_ENTRA, register, speakerOf, verify } from '../tenants/tenant-rig.ts';
import { foreignRows } from './foreign-rows.ts';
import { grantsTaken, wordOf, wordsTaken } from './forged-words.ts';
import { globalAdminOf, valueOf, Walk } from './walk.ts';

const EVIL: TenantRef = { kind: 'microsoft-365', tenantId: 'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee' };
const SWITCH = { for: 'switch', keyringId: KEYRING, switchId: 's1' } as const;
const toKey = (letter: string): Extract<Approval, { for: 'export' }> => ({
  for: 'export',
  keyringId: KEYRING,
  round: 0,
  recipient: { type: 'public-key', thumbprint: letter.repeat(43) },
});
/** To the company's key, to one of the forger's own, and by a passphrase that the forger may know. */
const EXPORT = toKey('A');
const EVIL_EXPORTS = [toKey('E'), { ...EXPORT, recipient: { type: 'passphrase' } }] as const;
const APPROVALS = [SWITCH, EXPORT, ...EVIL_EXPORTS];
const VICTIMS = [ENTRA, OTHER_ENTRA, GOOGLE];
/** Nobody has consented to `fabrikam`; the vault of `moved` is in force, and another tenant's by now. */
const CONNECTIONS = ['contoso', 'fabrikam', 'moved'];
const MOVED_HOST = 'moved.vault.azure.net';
const MOVED_TO = '44444444-4444-4444-8444-444444444444';

interface Outcome {
  /** Words that count although nobody who may say them has said them. */
  readonly forged: readonly string[];
  /** How many honest or dishonest yeses were taken. */
  readonly taken: number;
}

/** One run from a seed. Everything that it does follows from the seed. */
export async function runForger(seed: number): Promise<Outcome> {
  const rig = await Rig.withDataKeys(1);
  const world = new ForgedWorld(rig, new Chance(seed, 'forger'));
  await world.open();
  for (let round = 0; round < 4; round += 1) await world.signIn();
  return { forged: await world.forged(), taken: world.taken };
}

class ForgedWorld {
  readonly #rig: Rig;
  readonly #chance: Chance;
  readonly #deps: SignInDependencies & { readonly signIns: FakeSignIns };
  readonly #walk: Walk;
  readonly #said = new Set<string>();
  /** Consents of before: one that is put back is an older genuine one, which is a known limit. */
  readonly #given = new Set<Cells[string]>();
  /** Rows as they once were, to be put back. */
  readonly #seen: StoredRow[] = [];
  #links: string[] = [];
  #moved: FakeVault | undefined;
  #madeUp = 0;
  taken = 0;

  constructor(rig: Rig, chance: Chance) {
    this.#rig = rig;
    this.#chance = chance;
    const signInTimes = { linkMs: 3_600_000, stepMs: 600_000 };
    this.#deps = { ...rig.deps, signIns: new FakeSignIns(rig.clock), signInTimes };
    this.#walk = new Walk(this.#deps);
  }

  /** A switch was cancelled, for which the Workspace was pinned, and the vendor has ordered another. */
  async open(): Promise<void> {
    const { deps, vaults } = this.#rig;
    await register(this.#rig, ...VICTIMS);
    valueOf(await startSwitch(deps, { ...place('s0'), target: CONTOSO }, ADMIN));
    valueOf(await verify(this.#rig, 's0', GOOGLE));
    valueOf(await cancelSwitch(deps, place('s0'), ADMIN));
    valueOf(await startSwitch(deps, { ...place('s1'), target: CONTOSO, vendor: { maySwitch: false } }, ADMIN));
    await this.#rig.drain();
    this.#moved = vaults.addVault({ host: MOVED_HOST, tenantId: MOVED_TO });
    await this.#rig.connect('moved', { host: MOVED_HOST });
    for (const [connectionId, change] of [
      ['fabrikam', { consent: '' }],
      ['moved', { usedBy: JSON.stringify([`keyring|${KEYRING}`]) }],
    ] as const) {
      const row = this.#row(connectionRowKey(connectionId));
      this.#given.add(row.cells['consent']);
      this.#put(row.rowKey, { ...row.cells, ...change });
    }
    this.#given.add(this.#row(connectionRowKey('contoso')).cells['consent']);
    this.#seen.push(...(await foreignRows(this.#rig, { tenants: VICTIMS, approvals: APPROVALS })));
  }

  /** A link of the company's or of the forger's own, opened by somebody who may answer it or by the forger, who writes rows all the way. */
  async signIn(): Promise<void> {
    // Whoever has come by the name of the vault says that it is theirs.
    if (this.#moved) this.#moved.tenantId = this.#chance.pick([MOVED_TO, MOVED_TO, EVIL.tenantId]);
    const link = await this.#link();
    this.#links.push(link);
    await this.#forge();
    const left = await this.#walk.begin(link);
    if (!left.ok) return;
    let { goTo, cookie } = left.value;
    await this.#forge();
    if (new URL(goTo).pathname.endsWith('/adminconsent')) {
      const back = await this.#walk.comeBack(this.#deps.signIns.accept(goTo), cookie);
      if (!back.ok || back.value.type !== 'departure') return;
      ({ goTo, cookie } = back.value);
      await this.#forge();
    }
    const { asked, query, isGenuine } = this.#signedIn(goTo);
    const question = await this.#walk.comeBack(query, cookie);
    if (!question.ok || question.value.type !== 'question') return;
    const { state, cookie: last } = question.value;
    const { subject, about } = shownOf(question.value.asked);
    // Aimed: what was asked is exchanged for something else while the page is open.
    await this.#forge({ link, state });
    const answered = await this.#walk.answer(state, { cookie: last });
    if (isGenuine) this.#said.add(wordOf(asked, subject, about));
    if (answered.ok) this.taken += 1;
  }

  /** An administrator of whichever tenant is asked; at Google perhaps of another Workspace, to which the domain went. */
  #signedIn(goTo: string): { readonly asked: string; readonly query: string; readonly isGenuine: boolean } {
    const { signIns } = this.#deps;
    const { host, pathname } = new URL(goTo);
    if (host !== 'accounts.google.com') {
      const asked = pathname.split('/')[1] ?? '';
      const query = signIns.signIn(goTo, { service: 'microsoft', person: globalAdminOf(asked) });
      return { asked, query, isGenuine: true };
    }
    const isGenuine = this.#chance.happens(0.5);
    const person = superAdminOf(isGenuine ? speakerOf(GOOGLE).customerId : 'C0taken');
    return { asked: GOOGLE.tenantId, query: signIns.signIn(goTo, { service: 'google', person }), isGenuine };
  }

  async #link(): Promise<string> {
    if (this.#chance.happens(0.4)) return this.#ownLink();
    if (this.#chance.happens(0.5)) {
      const tenant = this.#chance.pick(VICTIMS);
      const approval = this.#chance.happens(0.7) ? SWITCH : EXPORT;
      const made = await requestVerification(this.#deps, { companyId: COMPANY, ...tenant, approval }, ADMIN);
      return made.ok ? made.value.ticket.text : this.#ownLink();
    }
    const connectionId = this.#chance.pick(['contoso', 'moved']);
    return this.#walk.link({ companyId: COMPANY, connectionId }).catch(() => this.#ownLink());
  }

  /** Nothing but rows: the forger's tenant, and a link to its administrator. */
  async #ownLink(): Promise<string> {
    this.#madeUp += 1;
    const ticket = ticketOf(COMPANY, Buffer.alloc(32, this.#madeUp));
    const registeredAt = this.#rig.clock.now().toISOString();
    this.#put(tenantRowKey(EVIL), tenantCells({ ...EVIL, registeredAt }));
    this.#put(linkRowKey(ticket.hash), await this.#linkCells({ purpose: 'verification', ...EVIL, approval: SWITCH }));
    return ticket.text;
  }

  async #linkCells(subject: SignInSubject): Promise<Cells> {
    const now = this.#rig.clock.now();
    const genuine = this.#chance.happens(0.5) ? this.#rowsUnder('consent|link|')[0]?.cells : undefined;
    return {
      format: 1,
      seal: JSON.stringify({ keyVersion: '1', signature: 'AAAA' }),
      requestedBy: 'x',
      createdAt: now.toISOString(),
      expiresAt: new Date(now.getTime() + 3_600_000).toISOString(),
      doneAt: '',
      ...genuine,
      subject: JSON.stringify(subject),
      about: await this.#aboutOf(subject),
    };
  }

  /** The digest that fits: nothing of it is secret. */
  async #aboutOf(subject: SignInSubject): Promise<string> {
    if (subject.purpose === 'consent') {
      const cells = this.#row(connectionRowKey(subject.connectionId)).cells;
      const connection = readConnection(cells, { companyId: COMPANY, connectionId: subject.connectionId });
      return connection ? digestOfConnection(connection) : 'none';
    }
    const found = await destinationOf(this.#deps, { companyId: COMPANY, approval: subject.approval });
    if (found.ok) return found.value.digest;
    const contoso = readConnection(this.#row(connectionRowKey('contoso')).cells, {
      companyId: COMPANY,
      connectionId: 'contoso',
    });
    const target = contoso && targetOfConnection(contoso);
    return target ? destinationDigest(target) : 'none';
  }

  #anySubject(): SignInSubject {
    if (this.#chance.happens(0.3)) {
      const connectionId = this.#chance.pick(CONNECTIONS);
      const movedTo = this.#chance.pick(['', EVIL.tenantId, MOVED_TO, CUSTOMER_TENANT]);
      return { purpose: 'consent', connectionId, ...(movedTo === '' ? {} : { movedTo }) };
    }
    const approval = this.#chance.happens(0.6) ? SWITCH : this.#chance.pick(APPROVALS);
    return { purpose: 'verification', ...this.#chance.pick([...VICTIMS, EVIL]), approval };
  }

  /** Up to three writes, each left to chance; `aimed` are the rows of the sign-in that is on its way. */
  async #forge(aimed?: { readonly link: string; readonly state: string }): Promise<void> {
    const writes = this.#chance.below(4);
    for (let count = 0; count < writes; count += 1) await this.#forgeOnce(aimed);
  }

  async #forgeOnce(aimed?: { readonly link: string; readonly state: string }): Promise<void> {
    const links = this.#rowsUnder('consent|link|');
    const how = this.#chance.below(8);
    if (how <= 1) {
      const hash = aimed && parseTicket(aimed.link)?.hash;
      const rowKey = hash === undefined ? links.length > 0 && this.#chance.pick(links).rowKey : linkRowKey(hash);
      if (rowKey !== false) this.#put(rowKey, { ...this.#row(rowKey).cells, ...(await this.#swapped()) });
    } else if (how === 2) this.#copyCell();
    else if (how === 3) this.#copyRow();
    else if (how === 4) this.#renamePerson(aimed && parseTicket(aimed.state)?.hash);
    else if (how === 5) this.#grant();
    else this.#putBack();
  }

  /** What a switch or an export may do, without anybody's word. */
  #grant(): void {
    const sw = this.#row(switchRowKey(KEYRING, 's1'));
    const seal = JSON.parse(String(this.#chance.pick([sw, this.#row(connectionRowKey('contoso'))]).cells['seal'])) as {
      readonly keyVersion: string;
      readonly signature: string;
    };
    const change = this.#chance.pick([
      { awaitsConfirmation: false },
      { denialAccepted: true },
      { endsWithoutKeeping: true },
      { removedTenants: '' },
    ]);
    if (this.#chance.happens(0.5)) this.#put(sw.rowKey, { ...sw.cells, ...change });
    else this.#put(exportRowKey(KEYRING), exportCells({ round: 0, allowanceUntil: '2099-01-01T00:00:00.000Z', seal }));
  }

  async #swapped(): Promise<Cells> {
    const subject = this.#anySubject();
    return { subject: JSON.stringify(subject), about: await this.#aboutOf(subject), doneAt: '' };
  }

  /** One cell of a row becomes that of another of its kind. */
  #copyCell(): void {
    const [to, from] = this.#two();
    if (!to || !from) return;
    const name = this.#chance.pick(Object.keys(from.cells));
    this.#put(to.rowKey, { ...to.cells, [name]: from.cells[name] });
  }

  #copyRow(): void {
    const [to, from] = this.#two();
    if (to && from) this.#put(to.rowKey, from.cells);
  }

  #renamePerson(hash: string | undefined): void {
    const row = hash === undefined ? undefined : this.#rig.store.peek('companies', COMPANY, stateRowKey(hash));
    const person = row?.cells['person'];
    if (!row || typeof person !== 'string') return;
    const { tenantId } = this.#chance.pick([...VICTIMS, { tenantId: CUSTOMER_TENANT }]);
    const renamed = person
      .replace(/"id":"[^/]*/, `"id":"${tenantId}`)
      .replace('"C0taken"', JSON.stringify(speakerOf(GOOGLE).customerId));
    this.#put(row.rowKey, { ...row.cells, person: renamed });
  }

  #putBack(): void {
    if (this.#seen.length > 0) {
      const { rowKey, cells } = this.#chance.pick(this.#seen);
      this.#put(rowKey, cells);
    }
  }

  /** Two rows of one kind. Not of tenants: a writer of the tables can take one away, or its pin, which is a known limit. */
  #two(): readonly (StoredRow | undefined)[] {
    const prefix = this.#chance.pick(['consent|link|', 'consent|state|', 'verification|', 'connection|', 'switch|']);
    const rows = this.#rowsUnder(prefix);
    return rows.length < 2 ? [] : [this.#chance.pick(rows), this.#chance.pick(rows)];
  }

  #rowsUnder(prefix: string): StoredRow[] {
    return [...this.#rig.store.dump()]
      .filter(({ table, rowKey }) => table === 'companies' && rowKey.startsWith(prefix))
      .map(({ rowKey }) => this.#row(rowKey));
  }

  #row(rowKey: string): StoredRow {
    return this.#rig.store.peek('companies', COMPANY, rowKey) ?? { rowKey, etag: '', cells: {} };
  }

  #put(rowKey: string, cells: Cells): void {
    const before = this.#rig.store.peek('companies', COMPANY, rowKey);
    if (before) this.#seen.push(before);
    this.#rig.store.tamper('companies', COMPANY, rowKey, cells);
  }

  /** Every word that the product takes now, and nobody has said, and whatever is granted without one. */
  async forged(): Promise<readonly string[]> {
    const looked = { tenants: VICTIMS, approvals: APPROVALS, connections: CONNECTIONS, given: this.#given };
    const words = await wordsTaken(this.#deps, looked);
    return [...words.filter((word) => !this.#said.has(word)), ...(await grantsTaken(this.#deps, place('s1')))];
  }
}

/** Of the Workspace with this customer id. */
const superAdminOf = (customerId = ''): GooglePerson => ({
  subject: '110000000000000000001',
  email: 'ann@contoso.com',
  domain: GOOGLE.tenantId,
  isSuperAdmin: true,
  isDelegatedAdmin: false,
  workspace: { customerId, isDomainProved: true },
});
