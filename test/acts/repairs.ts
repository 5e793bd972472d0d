// Acts on what went wrong or waits for a decision, and those of timers and of the queue.
import { ensureListed } from '../../shared/store/company-index.ts';
import { MAX_VAIN_PASSES } from '../../shared/domain/shard.ts';
import { acceptLoss, retryQuarantined } from '../../shared/operations/switches/quarantine.ts';
import { COMPANY_PURGE_ID, goOnDeleting } from '../../shared/operations/companies/delete-company.ts';
import { checkConnection } from '../../shared/operations/watch/vault-checks.ts';
import { exportCompanyKey } from '../../shared/operations/exports/export-company-key.ts';
import { recordPoison } from '../../shared/operations/switches/poison.ts';
import { recount } from '../../shared/operations/switches/recount.ts';
import { retrySwitch } from '../../shared/operations/switches/steer.ts';
import { sweepKept } from '../../shared/operations/switches/sweep-kept.ts';
import { failure } from '../../shared/failures.ts';
import { changeOnce } from '../../shared/store/act.ts';
import { putOnAgenda } from '../../shared/store/agenda.ts';
import { loadCompany } from '../../shared/store/control-state.ts';
import { ADMIN } from '../fakes/actors.ts';
import { FakeExportSealer } from '../fakes/fake-export-sealer.ts';
import { PLACE, recipient } from '../operations/exports/export-world.ts';
import { COMPANY, CONTOSO_HOST, KEEP_MS, type Rig } from '../operations/switches/rig.ts';
import { after, isBlocked, ordered, SWITCH, workedUntil, worksUntil, type Scene } from './scene.ts';

const KEY = 'key-000001';
const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };
const blocks = worksUntil(isBlocked);

async function orderedBehindFirewall(rig: Rig): Promise<void> {
  rig.vaults.fail({ operation: 'readKey', host: CONTOSO_HOST, failure: 'vault-firewall' });
  await ordered(rig);
}

/** Everything is done but for one row, which was quarantined. */
async function quarantined(rig: Rig): Promise<Uint8Array> {
  const { blob } = await rig.dataKey(KEY);
  await rig.tamperDataKey(KEY, { blob: new Uint8Array(61) });
  await ordered(rig);
  await rig.drain();
  return blob;
}

/** Of a company with data keys, by a call that is gone. */
async function deleteBegun(rig: Rig): Promise<void> {
  const company = (await loadCompany(rig.store, COMPANY))!;
  const closing = { decided: false, worker: '', until: '' };
  await putOnAgenda(rig.store, { kind: 'purge', companyId: COMPANY, id: COMPANY_PURGE_ID });
  await changeOnce({ tables: rig.store }, (tx) => tx.replace(company, { ...company.value, state: 'closing', closing }));
}

/** The first check of a vault in force, after `befalls`. */
const checkedWhere = (befalls: (rig: Rig) => void): (() => Promise<Scene>) =>
  after(
    async (rig) => {
      await ensureListed(rig.store, COMPANY);
      await workedUntil('completed')(rig);
      befalls(rig);
    },
    (host) => checkConnection(host, CONNECTION),
  );

export const REPAIRS: Readonly<Record<string, () => Promise<Scene>>> = {
  'company-key.export': after(workedUntil('completed'), (host) =>
    exportCompanyKey({ ...host, exportSealer: new FakeExportSealer() }, { ...PLACE, recipient }, ADMIN),
  ),
  'company.delete-turned-back': after(deleteBegun, async (host) => {
    const turned = await goOnDeleting(host, { companyId: COMPANY });
    return { ok: !turned.ok && turned.error.type === 'state' };
  }),
  'data-key.loss-accepted': after(quarantined, (host) => acceptLoss(host, { ...SWITCH, keyId: KEY }, ADMIN)),
  'data-key.quarantine-retried': after(
    async (rig) => {
      await rig.tamperDataKey(KEY, { blob: await quarantined(rig) });
    },
    (host) => retryQuarantined(host, { ...SWITCH, keyId: KEY }, ADMIN),
  ),
  'keptkey.deleted': after(async (rig) => {
    await workedUntil('completed')(rig);
    rig.clock.advance(KEEP_MS + 1);
  }, sweepKept),
  'keyring.shard-recounted': after(
    async (rig) => {
      await rig.tamperShard(0, { vain: MAX_VAIN_PASSES });
    },
    (host) => recount(host, PLACE, ADMIN),
  ),
  'message.poison': after(
    () => Promise.resolve(),
    (host) => recordPoison(host, { reason: 'unknown format', value: { format: 9 }, messageId: 'm-1' }),
  ),
  'switch.blocked': after(orderedBehindFirewall, blocks),
  'switch.retry': after(
    async (rig) => {
      await orderedBehindFirewall(rig);
      await blocks(rig.freshHost(), rig);
      rig.vaults.heal();
    },
    (host) => retrySwitch(host, SWITCH, ADMIN),
  ),
  'vault.healthy': checkedWhere(() => undefined),
  'vault.warning': checkedWhere(({ vaults }) => {
    for (const version of vaults.vault(CONTOSO_HOST).keys.get('customer-key') ?? [])
      version.describes = { ...version.describes, recoveryLevel: 'Purgeable' };
  }),
  'vault.waiting-for-azure': checkedWhere(({ vaults }) => {
    vaults.fail({
      operation: 'unwrap',
      host: CONTOSO_HOST,
      failure: { ...failure('access-denied-rbac'), kind: 'propagating' },
    });
  }),
  'vault.unreachable': checkedWhere(({ vaults }) => {
    vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'vault-unreachable' });
  }),
  'vault.revoked': checkedWhere(({ vaults }) => {
    vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'access-denied-rbac' });
  }),
};
