// What was given up is sent again as the webhook and the record say, whatever a writer of the tables has put among it.
import { beforeEach, describe, expect, it } from 'vitest';
import { listDeadLetters } from '../../../shared/operations/notifications/dead-letters.ts';
import { requestRedelivery } from '../../../shared/operations/notifications/redeliver.ts';
import { getWebhook, putWebhook } from '../../../shared/operations/notifications/webhooks.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { CONTOSO, FABRIKAM, HOST, NotificationScene, URL_OF_HOST } from './scene.ts';

const PLACE = { companyId: CONTOSO, webhookId: 'siem' };
const LETTERS = 'webhook|contoso|siem';

let scene: NotificationScene;
beforeEach(async () => {
  scene = await NotificationScene.begin();
  await scene.subscribe(CONTOSO, { types: ['switch.*'] });
  scene.receivers.fail(HOST);
  await scene.happens('switch.poison');
  for (let hours = 0; hours < 80; hours += 1) {
    await scene.turn();
    scene.clock.advance(3_600_000);
  }
  scene.receivers.heal(HOST);
});

const letters = async (): Promise<readonly string[]> => {
  const page = await listDeadLetters(scene.host, { ...PLACE, limit: 100 });
  return page.ok ? page.value.letters.map(({ action }) => action) : [];
};

async function sendAgain(): Promise<string[]> {
  scene.receivers.taken.length = 0;
  await requestRedelivery(scene.host, PLACE, ADMIN);
  await scene.turn();
  return scene.typesAt();
}

const record = (companyId: string, action: string): { readonly key: string; readonly cells: Cells } => {
  const row = [...scene.store.dump()].find(
    ({ table, partitionKey, cells }) => table === 'events' && partitionKey === companyId && cells['action'] === action,
  )!;
  return { key: row.rowKey, cells: row.cells };
};

/** A letter like the real one, of another event. */
function forge(companyId: string, action: string, change: Cells = {}): void {
  const real = [...scene.store.dump()].find(({ rowKey }) => rowKey.startsWith('dead|'))!;
  const { key, cells } = record(companyId, action);
  const letter = { ...real.cells, eventId: cells['id'], action, ...change };
  scene.store.tamper('agenda', LETTERS, `dead|${companyId}|${key}`, letter);
}

describe('what was given up', () => {
  it('is sent again once it is asked for, and is then gone', async () => {
    expect(await letters()).toEqual(['switch.poison']);
    expect(await sendAgain()).toEqual(['switch.poison']);
    expect(await letters()).toEqual([]);
  });

  it("waits, and stays asked for, while the vendor's own vault does not answer", async () => {
    const cold = scene.process();
    await requestRedelivery(scene.host, PLACE, ADMIN);
    scene.vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
    await scene.turn(cold);
    scene.vaults.heal();
    await scene.turn(cold);
    expect(scene.typesAt()).toContain('switch.poison');
  });

  it('switches the webhook off where its receiver says that it wants no more', async () => {
    scene.receivers.fail(HOST, 'webhook-gone');
    expect(await sendAgain()).toEqual([]);
    expect(await getWebhook(scene.host, PLACE)).toMatchObject({ value: { value: { state: 'off' } } });
    expect(await letters()).toEqual(['switch.poison']);
  });

  it('is not sent where the webhook does not ask for its type any more', async () => {
    await putWebhook(scene.host, { ...PLACE, input: { url: URL_OF_HOST, types: ['vault.*'] }, condition: {} }, ADMIN);
    expect(await sendAgain()).toEqual([]);
    expect(await letters()).toEqual([]);
  });
});

describe('a letter that a writer of the tables has made', () => {
  it.each<[string, () => Promise<void> | void]>([
    [
      "names another company's event",
      async () => {
        await scene.happens('switch.secret', FABRIKAM);
        forge(FABRIKAM, 'switch.secret');
      },
    ],
    [
      'names an event by another id',
      () => forge(CONTOSO, 'webhook.put', { eventId: 'another', action: 'switch.secret' }),
    ],
    ['calls an event what it is not', () => forge(CONTOSO, 'webhook.put', { action: 'switch.secret' })],
    [
      'names an event that was changed',
      async () => {
        await scene.happens('switch.secret');
        const { key, cells } = record(CONTOSO, 'switch.secret');
        scene.store.tamper('events', CONTOSO, key, { ...cells, detail: '{"state":"revoked"}' });
        forge(CONTOSO, 'switch.secret');
      },
    ],
    [
      'names an event that was put in the place of another',
      async () => {
        await scene.happens('switch.between');
        await scene.happens('switch.secret');
        const { key, cells } = record(CONTOSO, 'switch.secret');
        await scene.happens('switch.after');
        await scene.happens('switch.strange', FABRIKAM);
        const strange = record(FABRIKAM, 'switch.strange').cells;
        scene.store.tamper('events', CONTOSO, key, { ...strange, sequence: cells['sequence'] });
        forge(CONTOSO, 'switch.strange');
      },
    ],
    [
      'names no event',
      () => scene.store.tamper('agenda', LETTERS, 'dead|contoso|0000000000000000', letterOf('switch.secret')),
    ],
  ])('%s: nothing of it is sent, it is a security event, and the others are', async (_, makes) => {
    await makes();
    const sent = await sendAgain();
    expect(sent.filter((type) => type === 'switch.poison')).toHaveLength(1);
    const again = scene.receivers.taken.filter(({ body }) => /fabrikam|webhook\.put|strange|revoked/.test(body));
    expect(again).toEqual([]);
    expect(scene.log.events()).toContain('security.events-not-led');
  });

  it('names an event that the webhook does not ask for: it is not sent', async () => {
    forge(CONTOSO, 'webhook.put');
    expect(await sendAgain()).toEqual(['switch.poison']);
  });
});

const letterOf = (action: string): Cells => {
  const real = [...scene.store.dump()].find(({ rowKey }) => rowKey.startsWith('dead|'))!;
  return { ...real.cells, action };
};
