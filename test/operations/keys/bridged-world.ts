// A company under a customer's vault, and host processes that bridge outages of it.
import type { FailureCode, Failure } from '../../../shared/domain/failure.ts';
import type { CompanyKeyContext } from '../../../shared/domain/company-key.ts';
import type { CompanyKeyProblem } from '../../../shared/operations/keys/company-key-cache.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { denialRow } from '../../../shared/store/rows/denial-rows.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { POLICY } from '../../fixtures/policy.ts';
import type { TestHost } from '../../world.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, place, Rig } from '../switches/rig.ts';

export const TTL_MS = 300_000;
export const GRACE_MS = 1_800_000;
export const CONTEXT = { companyId: COMPANY, keyringId: KEYRING, version: 2 };
export const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };
export const DENIED_ROW = denialRow.key(CONNECTION);

export class Bridged {
  readonly rig: Rig;

  private constructor(rig: Rig) {
    this.rig = rig;
  }

  static async begin(): Promise<Bridged> {
    const rig = await Rig.withDataKeys(1);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain();
    rig.vaults.calls.length = 0;
    rig.log.entries.length = 0;
    return new Bridged(rig);
  }

  host(options: { readonly graceMs?: number; readonly ttlMs?: number; readonly tables?: Tables } = {}): TestHost {
    const { graceMs = GRACE_MS, ttlMs = TTL_MS, tables = this.rig.store } = options;
    return this.rig.startHost({ ...POLICY, keyTtlMs: ttlMs, outageGraceMs: graceMs }, { tables });
  }

  /** From now on the customer's vault answers so; undefined: as it should. */
  vaultSays(failure: Failure | FailureCode | undefined): void {
    this.rig.vaults.heal();
    if (failure !== undefined) this.rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure });
  }

  get unwraps(): number {
    return this.rig.vaults.countOf('unwrap', CONTOSO_HOST);
  }

  /** As somebody with access to the tables could. */
  async removeRow(): Promise<void> {
    const row = (await this.rig.store.read('health', '_system', DENIED_ROW))!;
    await this.rig.store.write('health', '_system', [{ kind: 'delete', rowKey: DENIED_ROW, etag: row.etag }]);
  }

  async isListed(): Promise<boolean> {
    return (await this.rig.store.read('health', '_system', DENIED_ROW)) !== undefined;
  }
}

/** `ok`, or the code that a caller is refused with, once all that was begun is over. */
export async function told(host: TestHost, context: CompanyKeyContext = CONTEXT): Promise<string> {
  const key = await host.companyKeys.get(context);
  await settled();
  return key.ok ? 'ok' : codeOf(key.error);
}

const codeOf = (problem: CompanyKeyProblem): string => (problem.type === 'gone' ? 'gone' : problem.failure.code);

/** What goes on by itself, renewals and the listing of denials, comes to its end. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
