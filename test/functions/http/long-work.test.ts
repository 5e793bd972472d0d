// Long work as the pollers of Azure's SDKs follow it: with the real @azure/core-lro, and by the rules of Python's azure-core, which takes
// its state from `status` in the body of 200, and refuses an answer without one (azure/core/polling/base_polling.py).
import { createHttpPoller, type LroResponse, type OperationState, type SimplePollerLike } from '@azure/core-lro';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadCompany } from '../../../shared/store/control-state.ts';
import { goOnDeleting } from '../../../shared/operations/companies/delete-company.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { changeOnce } from '../../../shared/store/act.ts';
import type { Claims } from '../../fakes/fake-token-issuer.ts';
import { adminOf, Api, auditor, connect, vendor, registerCompany } from './api.ts';

let api: Api;
beforeAll(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
  await connect(api, 'acme', 'main');
});
afterAll(() => api.close());

const admin = adminOf('acme');
const ring = '/companies/acme/keyrings/default';
const toVault = { provider: 'azure-key-vault', connectionId: 'main' };

interface Ordered {
  readonly method: string;
  readonly path: string;
  readonly as: Claims;
  readonly body?: unknown;
}

type Poller = SimplePollerLike<OperationState<unknown>, unknown>;

async function pollerOf(ordered: Ordered): Promise<Poller> {
  const { as } = ordered;
  const send = async (method: string, path: string, body?: unknown): Promise<LroResponse> => {
    const answer = await api.call(method, path, { as, ...(body === undefined ? {} : { body }) });
    // As core-rest-pipeline does for an error that nobody expects.
    if (answer.status >= 400) throw new Error(`${method} ${path} answered ${answer.status}`);
    const headers = Object.fromEntries(answer.headers);
    return { flatResponse: answer.body, rawResponse: { statusCode: answer.status, headers, body: answer.body } };
  };
  return createHttpPoller<unknown, OperationState<unknown>>({
    requestPath: ordered.path,
    requestMethod: ordered.method,
    sendInitialRequest: () => send(ordered.method, ordered.path, ordered.body),
    sendPollRequest: (path) => send('GET', path),
  });
}

const switchesOf = async (): Promise<{ switchId: string; state: string }[]> =>
  (await api.call('GET', `${ring}/switches`, { as: admin })).body['value'] as unknown as [];

test('a poller of Azure ends when a switch ends, and not before', async () => {
  const poller = await pollerOf({ method: 'PUT', path: `${ring}/switches/first`, as: admin, body: toVault });
  await poller.poll();
  expect(poller.isDone()).toBe(false);
  await api.work();
  await poller.poll();
  expect([poller.isDone(), poller.getResult()]).toMatchObject([true, { state: 'completed', status: 'Succeeded' }]);
});

test('whoever asks how far it is is told when to look again, until it has ended', async () => {
  const waits = async (path: string, as: Claims): Promise<unknown> => {
    const { status, headers } = await api.call('GET', path, { as });
    return [status, headers.get('retry-after')];
  };
  const begun = await api.call('POST', `${ring}/rekey`, { as: admin });
  const path = `${ring}/switches/${begun.body['switchId'] as unknown as string}`;
  expect(await waits(path, admin)).toEqual([200, '5']);
  await api.work();
  expect(await waits(path, admin)).toEqual([200, null]);
  await registerCompany(api, 'umbrella');
  await leftClosing('umbrella', true);
  expect(await waits('/companies/umbrella/deletion', auditor)).toEqual([200, '10']);
  expect(await waits('/companies/acme/deletion', auditor)).toEqual([200, null]);
});

test('it ends as canceled when the switch is cancelled on its way', async () => {
  const poller = await pollerOf({ method: 'POST', path: `${ring}/rekey`, as: admin });
  const { switchId } = (await switchesOf()).find(({ state }) => state !== 'completed')!;
  expect((await api.call('POST', `${ring}/switches/${switchId}/cancel`, { as: admin })).status).toBe(200);
  await api.work();
  await expect(poller.poll()).rejects.toThrow('Operation was canceled');
});

test.each([
  ['cancel', undefined],
  ['retry', { direction: 'back' }],
])('whoever turns a switch back by %s is not told by a poller that it failed', async (verb, body) => {
  const begun = await api.call('POST', `${ring}/rekey`, { as: admin });
  await handleSwitchWork(api.services, api.queue.take()!);
  const path = `${ring}/switches/${begun.body['switchId'] as unknown as string}`;
  const poller = await pollerOf({ method: 'POST', path: `${path}/${verb}`, as: admin, body });
  await api.work();
  if (!poller.isDone()) await poller.poll();
  expect([poller.isDone(), poller.getResult()]).toMatchObject([true, { state: 'rolling-back' }]);
  expect((await api.call('GET', path, { as: admin })).body).toMatchObject({ state: 'cancelled', status: 'Canceled' });
});

test('a pause is done when it is answered: nothing is there to be waited for', async () => {
  const begun = await api.call('POST', `${ring}/rekey`, { as: admin });
  await handleSwitchWork(api.services, api.queue.take()!);
  const path = `${ring}/switches/${begun.body['switchId'] as unknown as string}`;
  const paused = await api.call('POST', `${path}/pause`, { as: admin });
  expect([paused.status, paused.headers.get('operation-location')]).toEqual([200, null]);
  expect(paused.body).toMatchObject({ paused: true, status: 'Running' });
  await api.call('POST', `${path}/cancel`, { as: admin });
  await api.work();
});

/** As a worker that decided and died leaves it, or one that decided nothing yet. */
async function leftClosing(companyId: string, decided: boolean): Promise<void> {
  const company = (await loadCompany(api.store, companyId))!;
  const until = new Date(api.clock.now().getTime() + 60_000).toISOString();
  const closing = { ...company.value, state: 'closing', closing: { decided, worker: 'another', until } } as const;
  await changeOnce({ tables: api.store }, (tx) => tx.replace(company, closing));
}

test('the removal of a company is followed to its end, where the company itself is 410', async () => {
  await registerCompany(api, 'globex');
  await leftClosing('globex', true);
  const poller = await pollerOf({ method: 'DELETE', path: '/companies/globex', as: vendor });
  await poller.poll();
  expect(poller.isDone()).toBe(false);
  api.clock.advance(120_000);
  expect(await goOnDeleting(api.services, { companyId: 'globex' })).toMatchObject({ ok: true, value: 'deleted' });
  expect((await api.call('GET', '/companies/globex', { as: vendor })).status).toBe(410);
  await poller.poll();
  expect(poller.isDone()).toBe(true);
});

test('a removal that turns back ends as failed, and says what to do', async () => {
  await registerCompany(api, 'initech');
  await leftClosing('initech', false);
  const poller = await pollerOf({ method: 'DELETE', path: '/companies/initech', as: vendor });
  const company = (await loadCompany(api.store, 'initech'))!;
  const active = { ...company.value, state: 'active', closing: undefined } as const;
  await changeOnce({ tables: api.store }, (tx) => tx.replace(company, active));
  await expect(poller.poll()).rejects.toThrow('company-not-deleted');
});

test('wherever Operation-Location leads, 200 is answered with a status, also to whoever only reads', async () => {
  for (const path of ['/companies/acme/deletion', `${ring}/switches/first`]) {
    const { status, body } = await api.call('GET', path, { as: auditor });
    expect([status, body['status']]).toEqual([200, expect.stringMatching(/^(Succeeded|Failed)$/)]);
  }
});
