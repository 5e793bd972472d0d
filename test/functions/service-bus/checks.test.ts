// Messages of the queue of vault checks: what a stranger may send, and what the queue gave up on.
import { beforeEach, expect, test } from 'vitest';
import { handleCheckMessage, handleDeadCheck } from '../../../functions/service-bus/checks.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { getHealth } from '../../../shared/operations/watch/health-report.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { COMPANY, CONTOSO, place, Rig } from '../../operations/switches/rig.ts';
import type { TestHost } from '../../world.ts';

const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };
const MESSAGE = { format: 1, kind: 'check', ...CONNECTION, because: 'change' };

let rig: Rig;
let host: TestHost;
beforeEach(async () => {
  rig = await Rig.withDataKeys(1);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  host = rig.freshHost();
  rig.vaults.calls.length = 0;
});

const poison = (): unknown[] =>
  [...rig.store.dump()].flatMap(({ rowKey, cells }) => (rowKey.startsWith('poison|') ? [cells['reason']] : []));

test.each([
  ['an object', MESSAGE],
  ['text', JSON.stringify(MESSAGE)],
  ['bytes', Buffer.from(JSON.stringify(MESSAGE))],
])('one that comes as %s has its vault checked, also if it comes twice', async (_what, raw) => {
  await handleCheckMessage(host, raw, {});
  await handleCheckMessage(host, raw, {});
  expect(await getHealth(host, CONNECTION)).toMatchObject({ value: { current: { state: 'healthy' } } });
  expect(poison()).toEqual([]);
});

test.each([
  ['of a company that there is not', { ...MESSAGE, companyId: 'nobody' }],
  ['of a connection that there is not', { ...MESSAGE, connectionId: 'none' }],
  ['of a connection that nothing depends on', { ...MESSAGE, connectionId: 'fabrikam' }],
])('one %s asks no vault', async (_what, raw) => {
  await handleCheckMessage(host, raw, {});
  expect(rig.vaults.calls.filter(({ host: asked }) => asked !== '')).toEqual([]);
});

test('one that means nothing is recorded, and is over', async () => {
  await handleCheckMessage(host, { ...MESSAGE, host: 'evil.example' }, { triggerMetadata: { messageId: 'm-1' } });
  expect(poison()).toEqual(['unknown field']);
});

test('one that the queue gave up on is recorded with the reason, and disturbs no vault', async () => {
  await handleDeadCheck(host, MESSAGE, { triggerMetadata: { deadLetterReason: 'MaxDeliveryCountExceeded' } });
  await handleDeadCheck(host, 'nonsense', {});
  expect(poison().toSorted()).toEqual(['dead letter: MaxDeliveryCountExceeded', 'not a JSON object']);
  expect(rig.vaults.calls.filter(({ host: asked }) => asked !== '')).toEqual([]);
});

test('one that finds the store away is over: the timer has the vault checked again', async () => {
  const tables = { ...host.tables, read: () => Promise.reject(new StoreUnavailable('away')) };
  await handleCheckMessage({ ...host, tables }, MESSAGE, {});
  expect(rig.log.events()).toContain('store.unavailable');
});
