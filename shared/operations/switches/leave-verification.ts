// The gate before the work of a switch: it stays in `pending-verification` until nothing is missing. Whoever supplies what was missing
// sends the message that looks here again, and the timer does if that is lost.
import { err, ok } from '../../domain/result.ts';
import type { Switch, SwitchPlace } from '../../domain/switch.ts';
import { loadCompany, type Loaded } from '../../store/control-state.ts';
import { decide, seen, type SideFailure } from './decide.ts';
import { enterPreparing, type Preparing } from './prepare.ts';
import { lackOfProof, type Proving } from './proofs.ts';
import { tenantsThatHold, type TenantReading } from './tenants-hold.ts';

type Held = { readonly type: 'waits' } | ({ readonly type: 'failed' } & SideFailure);

export async function leaveVerification(
  deps: TenantReading & Proving & Pick<Preparing, 'tables'>,
  place: SwitchPlace,
  sw: Loaded<Switch>,
): Promise<'moved' | 'lost-race' | Held> {
  const { companyId } = place;
  // Before anything is looked at: the transaction that leaves is made under its ETag.
  const company = await loadCompany(deps.tables, companyId);
  if (!company) return 'lost-race';
  let held = 0;
  const decided = await decide(
    sw.value,
    { seal: 'good', rows: 'read' },
    {
      tenants: async () =>
        seen('target', await tenantsThatHold(deps, { companyId, sw: sw.value }), ({ length }) => (held = length)),
      proof: async () => {
        const lack = await lackOfProof(deps, companyId, sw.value);
        return lack ? err({ side: 'target', failure: lack }) : ok('good');
      },
    },
  );
  if (!decided.ok) return { type: 'failed', ...decided.error };
  if (decided.value.type === 'step') return enterPreparing(deps, place, { company, sw });
  deps.log.write({ level: 'info', event: 'switch.waits-for-tenants', detail: { ...place, tenants: held } });
  return { type: 'waits' };
}
