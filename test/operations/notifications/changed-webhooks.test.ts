// What the owner of a webhook changes while events are being sent holds from the next event on, also for a webhook of all companies.
import { beforeEach, describe, expect, it } from 'vitest';
import { deleteWebhook, getWebhook, putWebhook } from '../../../shared/operations/notifications/webhooks.ts';
import { rotateSecret } from '../../../shared/operations/notifications/rotate-secret.ts';
import { switchOff } from '../../../shared/operations/notifications/switch-off.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { CONTOSO, HOST, NotificationScene, OF_ALL, URL_OF_HOST, verifyAsReceiver } from './scene.ts';

const NEW_HOST = 'new.contoso.com';

let scene: NotificationScene;
beforeEach(async () => {
  scene = await NotificationScene.begin();
});

/** Happens while the receiver has the first event and has not answered yet. */
function meanwhile(what: () => Promise<unknown>): void {
  scene.receivers.onSend = async () => {
    scene.receivers.onSend = undefined;
    await what();
  };
}

async function twoEvents(): Promise<void> {
  for (const action of ['switch.started', 'switch.completed']) await scene.happens(action);
  await scene.turn();
}

describe.each([['of a company', CONTOSO] as const, ['of all companies', OF_ALL] as const])(
  'a webhook %s that is changed while it is told of events',
  (_, companyId) => {
    const place = { companyId, webhookId: 'siem' };
    const change = (input: Partial<Parameters<typeof putWebhook>[1]['input']>): Promise<unknown> =>
      putWebhook(scene.host, { ...place, input: { url: URL_OF_HOST, ...input }, condition: {} }, ADMIN);

    it('is told of the next one at its new address', async () => {
      await scene.subscribe(companyId);
      meanwhile(() => change({ url: `https://${NEW_HOST}/` }));
      await twoEvents();
      expect(scene.typesAt()).toEqual(['switch.started']);
      expect(scene.typesAt(NEW_HOST)).toContain('switch.completed');
    });

    it('is sent the next one signed by its new secret, and not by one that leaked', async () => {
      const { verifier: leaked = '' } = await scene.subscribe(companyId);
      let secret = '';
      meanwhile(async () => {
        const rotated = await rotateSecret(scene.host, { ...place, overlapHours: 0 }, ADMIN);
        secret = rotated.ok ? rotated.value.verifier : '';
        scene.clock.advance(1);
      });
      await twoEvents();
      const next = scene.receivers.taken.find(({ body }) => body.includes('switch.completed'))!;
      expect(verifyAsReceiver(secret, next, scene.clock.now())).toMatchObject({ type: 'switch.completed' });
      expect(() => verifyAsReceiver(leaked, next, scene.clock.now())).toThrow('No matching signature');
    });

    it.each([
      ['deleted', () => deleteWebhook(scene.host, { ...place, condition: {} }, ADMIN)],
      ['switched off', () => switchOff(scene.host, place, { url: URL_OF_HOST })],
      ['made to ask for other types', () => change({ types: ['vault.*'] })],
      [
        'deleted and made anew',
        async () => {
          await deleteWebhook(scene.host, { ...place, condition: {} }, ADMIN);
          scene.clock.advance(1);
          await change({});
        },
      ],
    ])('is sent nothing more of what went before once it is %s', async (_what, what) => {
      await scene.subscribe(companyId);
      meanwhile(what);
      await twoEvents();
      scene.clock.advance(60_000);
      await scene.turn();
      expect(scene.typesAt().filter((type) => type.startsWith('switch.'))).toEqual(['switch.started']);
    });

    it('is not switched off by a 410 of the address that it had before', async () => {
      await scene.subscribe(companyId);
      scene.receivers.fail(HOST, 'webhook-gone');
      meanwhile(() => change({ url: `https://${NEW_HOST}/` }));
      await twoEvents();
      expect(await getWebhook(scene.host, place)).toMatchObject({ value: { value: { state: 'on' } } });
      await scene.turn();
      expect(scene.typesAt(NEW_HOST)).toEqual(expect.arrayContaining(['switch.started', 'switch.completed']));
    });

    it("is told of what happened while the vendor's vault did not answer, though nothing happens after it", async () => {
      await scene.subscribe(companyId);
      await scene.happens('switch.completed');
      await scene.sign();
      const cold = scene.process();
      scene.vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
      await scene.turn(cold);
      scene.vaults.heal();
      scene.clock.advance(120_000);
      await scene.turn(cold);
      expect(scene.typesAt()).toEqual(['switch.completed']);
    });
  },
);
