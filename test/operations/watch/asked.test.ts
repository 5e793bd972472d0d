// Checks that calls ask for share a queue with the rounds: a region that falls silent, with a message of each of its callers, must not keep these waiting.
import { beforeEach, expect, it } from 'vitest';
import type { Because } from '../../../shared/domain/asked-check.ts';
import { CheckPlaces } from '../../../shared/operations/watch/check-places.ts';
import { getHealth } from '../../../shared/operations/watch/health-report.ts';
import { handleCheck } from '../../../shared/operations/watch/messages.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import type { TestHost } from '../../world.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, place, Rig } from '../switches/rig.ts';

const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };
/** host.json */
const MESSAGES_AT_ONCE = 16;

let rig: Rig;
let host: TestHost;
beforeEach(async () => {
  rig = await Rig.withDataKeys(1);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  host = { ...rig.freshHost(), checkPlaces: new CheckPlaces({ sleep: () => new Promise(() => undefined) }, 64) };
  await ask('change');
  rig.vaults.calls.length = 0;
});

const ask = (because: Because): Promise<void> => {
  rig.clock.advance(1_000);
  return handleCheck(host, { format: 1, kind: 'check', ...CONNECTION, because });
};
const looks = (): number =>
  rig.vaults.calls.filter(({ host: asked, operation }) => asked === CONTOSO_HOST && operation === 'readKey').length;
const state = async (): Promise<unknown> => {
  const report = await getHealth(host, CONNECTION);
  return report.ok && report.value.current?.state;
};

it('of many that have met an outage a few are looked at, and the others leave their messages to the rounds', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<undefined>();
  rig.vaults.onCall = ({ host: asked }) => (asked === CONTOSO_HOST ? answered : undefined);
  const asking = Array.from({ length: MESSAGES_AT_ONCE }, () => ask('outage'));
  let over = 0;
  for (const one of asking) void one.then(() => (over += 1));
  await new Promise((settled) => setTimeout(settled, 50));
  expect(over).toBe(MESSAGES_AT_ONCE - 4);
  rig.vaults.onCall = undefined;
  // Not those that have met a denial, or ask for another reason.
  await ask('denial');
  await ask('change');
  answer(undefined);
  await Promise.all(asking);
  expect(looks()).toBe(6);
  await ask('outage');
  expect(looks()).toBe(7);
});

it.each<[string, 'vault-unreachable' | 'access-denied-rbac', string, Because]>([
  ['an outage', 'vault-unreachable', 'unreachable', 'outage'],
  ['a denial', 'access-denied-rbac', 'revoked', 'denial'],
])(
  '%s that is known already is not looked at again for each caller, and anything else is',
  async (_what, code, known, because) => {
    rig.vaults.fail({ host: CONTOSO_HOST, operation: 'any', failure: code });
    await ask(because);
    expect(await state()).toBe(known);
    const before = looks();
    for (let caller = 0; caller < 5; caller += 1) await ask(because);
    expect(looks()).toBe(before);
    rig.vaults.heal();
    await ask('change');
    expect(await state()).toBe('healthy');
  },
);
