// Somebody who writes the tables and has an Entra tenant of their own, left to chance: rows are swapped, copied, aimed at others and put back
// between the steps of sign-ins, honest ones and their own. What counts in the end must have been said.
import type { SignInSubject } from '../../../shared/domain/sign-in-subject.ts';
import { textsOfSubject } from '../../../shared/domain/sign-in-subject.ts';
import { destinationDigest, type Approval } from '../../../shared/domain/approval.ts';
import { targetOfConnection } from '../../../shared/domain/connection.ts';
import { connectionRowKey, linkRowKey, stateRowKey, tenantRowKey } from '../../../shared/domain/rows/row-keys.ts';
import { readConnection } from '../../../shared/domain/rows/sealed-rows.ts';
import { tenantCells } from '../../../shared/domain/rows/tenant-rows.ts';
import type { TenantRef } from '../../../shared/domain/tenant.ts';
import { parseTicket, ticketOf } from '../../../shared/domain/ticket.ts';
import type { Cells, StoredRow } from '../../../shared/operations/ports.ts';
import { requestVerification } from '../../../shared/operations/sign-ins/request-verification.ts';
import { shownOf } from '../../../shared/operations/sign-ins/asked.ts';
import type { SignInDependencies } from '../../../shared/operations/sign-ins/sign-in-dependencies.ts';
import { digestOfConnection } from '../../../shared/operations/sign-ins/subject-now.ts';
import { startSwitch } from '../../../shared/operations/switches/start-switch.ts';
import { destinationOf } from '../../../shared/operations/tenants/destination.ts';
import { unverifiedAmong } from '../../../shared/operations/tenants/verifications.ts';
import { loadConnection } from '../../../shared/operations/verified-connection.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import { Chance } from '../../simulation/chance.ts';
import { COMPANY, CONTOSO, CUSTOMER_TENANT, KEYRING, place, Rig } from '../switches/rig.ts';
import { ENTRA, OTHER_ENTRA, register } from '../tenants/tenant-rig.ts';
import { globalAdminOf, valueOf, Walk } from './walk.ts';

const EVIL: TenantRef = { kind: 'microsoft-365', tenantId: 'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee' };
const SWITCH = { for: 'switch', keyringId: KEYRING, switchId: 's1' } as const;
const toKey = (letter: string): Extract<Approval, { for: 'export' }> => ({
  for: 'export',
  keyringId: KEYRING,
  round: 0,
  recipient: { type: 'public-key', thumbprint: letter.repeat(43) },
});
/** To the company's key, and to one of the forger's own. */
const EXPORT = toKey('A');
const EVIL_EXPORT = toKey('E');
const VICTIMS = [ENTRA, OTHER_ENTRA];
const CONNECTIONS = ['contoso', 'fabrikam'];

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
  /** Rows as they once were, to be put back. */
  readonly #seen: StoredRow[] = [];
  #links: string[] = [];
  #madeUp = 0;
  taken = 0;

  constructor(rig: Rig, chance: Chance) {
    this.#rig = rig;
    this.#chance = chance;
    const signInTimes = { linkMs: 3_600_000, stepMs: 600_000 };
    this.#deps = { ...rig.deps, signIns: new FakeSignIns(rig.clock), probe: rig.vaults, signInTimes };
    this.#walk = new Walk(this.#deps);
  }

  async open(): Promise<void> {
    await register(this.#rig, ...VICTIMS);
    valueOf(await startSwitch(this.#rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN));
    await this.#rig.drain();
    const row = this.#row(connectionRowKey('fabrikam'));
    this.#put(row.rowKey, { ...row.cells, consent: '' });
  }

  /** A link of the company's or of the forger's own, opened by somebody who may answer it or by the forger, who writes rows all the way. */
  async signIn(): Promise<void> {
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
    const asked = new URL(goTo).pathname.split('/')[1] ?? '';
    const query = this.#deps.signIns.signIn(goTo, { service: 'microsoft', person: globalAdminOf(asked) });
    const question = await this.#walk.comeBack(query, cookie);
    if (!question.ok || question.value.type !== 'question') return;
    const { state, cookie: last } = question.value;
    const { subject, about } = shownOf(question.value.asked);
    // Aimed: what was asked is exchanged for something else while the page is open.
    await this.#forge({ link, state });
    const answered = await this.#walk.answer(state, { cookie: last });
    this.#said.add(wordOf(asked, subject, about));
    if (answered.ok) this.taken += 1;
  }

  async #link(): Promise<string> {
    if (this.#chance.happens(0.4)) return this.#ownLink();
    if (this.#chance.happens(0.5)) {
      const tenant = this.#chance.pick(VICTIMS);
      const approval = this.#chance.happens(0.7) ? SWITCH : EXPORT;
      const made = await requestVerification(this.#deps, { companyId: COMPANY, ...tenant, approval }, ADMIN);
      return made.ok ? made.value.ticket.text : this.#ownLink();
    }
    return this.#walk.link({ companyId: COMPANY, connectionId: 'contoso' }).catch(() => this.#ownLink());
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
      const connection = readConnection(cells, subject.connectionId);
      return connection ? digestOfConnection(connection) : 'none';
    }
    const found = await destinationOf(this.#deps, { companyId: COMPANY, approval: subject.approval });
    if (found.ok) return found.value.digest;
    const contoso = readConnection(this.#row(connectionRowKey('contoso')).cells, 'contoso');
    const target = contoso && targetOfConnection(contoso);
    return target ? destinationDigest(target) : 'none';
  }

  #anySubject(): SignInSubject {
    if (this.#chance.happens(0.3)) return { purpose: 'consent', connectionId: this.#chance.pick(CONNECTIONS) };
    const approval = this.#chance.happens(0.7) ? SWITCH : this.#chance.pick([EXPORT, EVIL_EXPORT]);
    return { purpose: 'verification', ...this.#chance.pick([...VICTIMS, EVIL]), approval };
  }

  /** Up to three writes, each left to chance; `aimed` are the rows of the sign-in that is on its way. */
  async #forge(aimed?: { readonly link: string; readonly state: string }): Promise<void> {
    const writes = this.#chance.below(4);
    for (let count = 0; count < writes; count += 1) await this.#forgeOnce(aimed);
  }

  async #forgeOnce(aimed?: { readonly link: string; readonly state: string }): Promise<void> {
    const links = this.#rowsUnder('consent|link|');
    const how = this.#chance.below(6);
    if (how <= 1) {
      const hash = aimed && parseTicket(aimed.link)?.hash;
      const rowKey = hash === undefined ? links.length > 0 && this.#chance.pick(links).rowKey : linkRowKey(hash);
      if (rowKey !== false) this.#put(rowKey, { ...this.#row(rowKey).cells, ...(await this.#swapped()) });
    } else if (how === 2) this.#copyCell();
    else if (how === 3) this.#copyRow();
    else if (how === 4) this.#renamePerson(aimed && parseTicket(aimed.state)?.hash);
    else this.#putBack();
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
    this.#put(row.rowKey, { ...row.cells, person: person.replace(/"id":"[^/]*/, `"id":"${tenantId}`) });
  }

  #putBack(): void {
    if (this.#seen.length > 0) {
      const { rowKey, cells } = this.#chance.pick(this.#seen);
      this.#put(rowKey, cells);
    }
  }

  /** Two rows of one kind: of links, states, verifications or connections. */
  #two(): readonly (StoredRow | undefined)[] {
    const prefix = this.#chance.pick(['consent|link|', 'consent|state|', 'verification|', 'connection|']);
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

  /** Every word that the product takes now, and nobody has said. */
  async forged(): Promise<readonly string[]> {
    const taken: string[] = [];
    for (const approval of [SWITCH, EXPORT, EVIL_EXPORT]) {
      const found = await destinationOf(this.#deps, { companyId: COMPANY, approval });
      if (!found.ok) continue;
      const { digest } = found.value;
      for (const tenant of VICTIMS) {
        const asked = { companyId: COMPANY, approval, destination: digest };
        const tenants = [{ ...tenant, registeredAt: '' }];
        const left = await unverifiedAmong(this.#deps, tenants, asked);
        const subject = { purpose: 'verification', ...tenant, approval } as const;
        if (left.ok && left.value.length === 0) taken.push(wordOf(tenant.tenantId, subject, digest));
      }
    }
    const fabrikam = await loadConnection(this.#deps, { companyId: COMPANY, connectionId: 'fabrikam' });
    const consent = fabrikam.ok ? fabrikam.value?.value.consent : undefined;
    const wasGiven = this.#seen.some(({ cells }) => cells['consent'] === JSON.stringify(consent));
    if (consent && !wasGiven && fabrikam.ok && fabrikam.value) {
      const { tenantId = '' } = fabrikam.value.value;
      const subject = { purpose: 'consent', connectionId: 'fabrikam' } as const;
      taken.push(wordOf(tenantId, subject, digestOfConnection(fabrikam.value.value)));
    }
    return taken.filter((word) => !this.#said.has(word));
  }
}

const wordOf = (tenantId: string, subject: SignInSubject, about: string): string =>
  [tenantId, ...textsOfSubject(subject), about].join(' ');
