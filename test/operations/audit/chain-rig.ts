// A chain of events with a signed head in the middle, and the ways in which somebody who writes the tables can change it.
import { expect } from 'vitest';
import { chained, CHAIN_START, eventOf, type AuditRecord, type ChainHead } from '../../../shared/domain/audit.ts';
import {
  headCells,
  readHead,
  readRecord,
  readSigned,
  recordCells,
  signedCells,
} from '../../../shared/store/rows/audit-rows.ts';
import { HEAD_ROW_KEY, recordRowKey, signedRowKey } from '../../../shared/store/rows/row-keys.ts';
import { renewOnAgenda } from '../../../shared/store/agenda.ts';
import { appendEvent } from '../../../shared/store/append.ts';
import { headItem } from '../../../shared/store/deliver.ts';
import { sweepHeads, type HeadSigning } from '../../../shared/operations/audit/sign-heads.ts';
import { verifyEvents, type Verifying } from '../../../shared/operations/audit/verify-events.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { ADMIN } from '../../fakes/actors.ts';
import type { FakeVaults } from '../../fakes/fake-vaults.ts';
import { valueOf } from '../data-keys/world.ts';
import { auditRig, COMPANY, type AuditRig } from './chain.ts';

export const RECORDS = 12;
export const SIGNED_AT = 8;
export const OTHER = 'globex';

export class ChainRig {
  readonly rig: AuditRig = auditRig();
  readonly vaults: FakeVaults = this.rig.vaults;

  static async started(): Promise<ChainRig> {
    const chain = new ChainRig();
    await chain.append(SIGNED_AT);
    await chain.sign();
    await chain.append(RECORDS - SIGNED_AT);
    return chain;
  }

  get deps(): HeadSigning & Verifying {
    return this.rig.deps;
  }

  async append(count: number, companyId = COMPANY): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const id = this.rig.deps.entropy.id();
      const about = { id, at: this.rig.clock.now().toISOString(), outcome: 'done' } as const;
      const act = { action: 'key.turned', companyId, target: `key ${index}`, detail: { index } };
      valueOf(await appendEvent(this.rig.deps, eventOf(ADMIN, act, about)));
    }
  }

  async sign(): Promise<number> {
    await renewOnAgenda(this.rig.store, headItem(COMPANY));
    return sweepHeads(this.deps);
  }

  record(sequence: number, companyId = COMPANY): AuditRecord {
    const row = this.rig.store.peek('events', companyId, recordRowKey(sequence));
    const record = row && readRecord(row.cells, companyId);
    if (!record) throw new Error(`no record ${sequence}`);
    return record;
  }

  put(sequence: number, record: AuditRecord): void {
    this.rig.store.tamper('events', COMPANY, recordRowKey(sequence), recordCells(record));
  }

  async remove(...rowKeys: readonly string[]): Promise<void> {
    for (const rowKey of rowKeys) {
      const { etag = '' } = this.rig.store.peek('events', COMPANY, rowKey) ?? {};
      await this.rig.store.write('events', COMPANY, [{ kind: 'delete', rowKey, etag }]);
    }
  }

  setHead(change: Partial<ReturnType<typeof readHead>>): void {
    const before = readHead(this.rig.store.peek('events', COMPANY, HEAD_ROW_KEY)?.cells ?? {});
    this.rig.store.tamper('events', COMPANY, HEAD_ROW_KEY, headCells({ ...before, ...change }));
  }

  /** A signature by another key than the one that it names, which is the seal key. */
  forgeSignature(sequence: number): void {
    const signed = readSigned(this.rig.store.peek('events', COMPANY, signedRowKey(SIGNED_AT))?.cells ?? {});
    const seal = { keyVersion: signed?.seal.keyVersion ?? '', signature: Buffer.alloc(64, 1).toString('base64url') };
    const head = { ...headOf(this.record(sequence)), at: 'now', seal };
    this.rig.store.tamper('events', COMPANY, signedRowKey(sequence), signedCells(head));
  }

  /** Everything from one record on made anew, consistent in itself, head and markers too. */
  rewriteFrom(sequence: number, change: Partial<AuditRecord>): void {
    let head: ChainHead = sequence === 1 ? CHAIN_START : this.record(sequence - 1);
    for (let at = sequence; at <= RECORDS; at += 1) {
      const event = at === sequence ? { ...this.record(at), ...change } : this.record(at);
      const next = chained(event, head);
      this.put(at, next);
      head = next;
    }
    this.setHead({ sequence: RECORDS, hash: head.hash });
  }

  async problems(known?: ChainHead, tables: Tables = this.rig.store): Promise<string[]> {
    const deps = { ...this.deps, tables };
    const report = valueOf(await verifyEvents(deps, { companyId: COMPANY, ...(known ? { known } : {}) }));
    expect(report.status).toBe(report.problems.length === 0 ? 'intact' : 'broken');
    return report.problems.map(({ code, sequence }) => `${code} ${sequence}`);
  }
}

export const headOf = ({ sequence, hash }: AuditRecord): ChainHead => ({ sequence, hash });
