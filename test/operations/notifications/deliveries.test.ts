import { createPublicKey, verify } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { putCompany } from '../../../shared/operations/companies/companies.ts';
import { chained } from '../../../shared/domain/audit.ts';
import { listDeadLetters, listDeliveries } from '../../../shared/operations/notifications/dead-letters.ts';
import { requestRedelivery } from '../../../shared/operations/notifications/redeliver.ts';
import { rotateSecret } from '../../../shared/operations/notifications/rotate-secret.ts';
import { getWebhook, putWebhook } from '../../../shared/operations/notifications/webhooks.ts';
import { readRecord, recordCells } from '../../../shared/store/rows/audit-rows.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { CONTOSO, FABRIKAM, HOST, NotificationScene, OF_ALL, URL_OF_HOST, verifyAsReceiver } from './scene.ts';

const PLACE = { companyId: CONTOSO, webhookId: 'siem' };
const HOUR_MS = 3_600_000;

let scene: NotificationScene;
beforeEach(async () => {
  scene = await NotificationScene.begin();
});

/** Every ten seconds at first, then every ten minutes. */
async function waits(ms: number): Promise<void> {
  for (let waited = 0; waited < ms;) {
    const step = Math.min(waited < 60_000 ? 10_000 : 600_000, ms - waited);
    scene.clock.advance(step);
    waited += step;
    await scene.turn();
  }
}

describe('an event', () => {
  it('reaches the webhook of its company, as a CloudEvent that names and tells nothing', async () => {
    await scene.subscribe();
    await scene.happens('vault.revoked', CONTOSO, {
      state: 'revoked',
      code: 'key-disabled',
      vaultHost: 'secret.host',
    });
    await scene.turn();
    const [event] = scene.receivers.at(HOST);
    expect(event).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      source: 'https://keyswitch.example.com/api/v1/companies/contoso',
      type: 'vault.revoked',
      time: scene.clock.now().toISOString(),
      datacontenttype: 'application/json',
      data: {
        companyId: CONTOSO,
        sequence: 4,
        outcome: 'done',
        code: 'key-disabled',
        state: 'revoked',
        link: 'https://keyswitch.example.com/api/v1/companies/contoso/events/4',
      },
    });
    expect(scene.receivers.taken[0]?.headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'webhook-id': event?.id,
    });
    expect(JSON.stringify(scene.receivers.taken)).not.toMatch(/secret\.host|admin/);
  });

  it('verifies with the library of Standard Webhooks by the secret that was shown once, and by no other', async () => {
    const { verifier } = await scene.subscribe();
    await scene.happens('switch.completed');
    await scene.turn();
    const [message] = scene.receivers.taken;
    expect(verifyAsReceiver(verifier!, message!, scene.clock.now())).toMatchObject({ type: 'switch.completed' });
    const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    expect(() => verifyAsReceiver(other, message!, scene.clock.now())).toThrow('No matching signature');
    const again = await getWebhook(scene.host, PLACE);
    expect(JSON.stringify(again)).not.toContain(verifier!.slice('whsec_'.length));
    expect(JSON.stringify([...scene.store.dump()])).not.toContain(verifier!.slice('whsec_'.length));
  });

  it('is signed by Ed25519 for a receiver that holds nothing secret', async () => {
    const { verifier } = await scene.subscribe(CONTOSO, { signature: 'v1a' });
    await scene.happens('switch.completed');
    await scene.turn();
    const [{ headers, body } = { headers: {} as Record<string, string>, body: '' }] = scene.receivers.taken;
    const raw = Buffer.from(verifier!.slice('whpk_'.length), 'base64');
    const key = createPublicKey({
      key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]),
      format: 'der',
      type: 'spki',
    });
    const signed = Buffer.from(`${headers['webhook-id'] ?? ''}.${headers['webhook-timestamp'] ?? ''}.${body}`);
    const [version, signature = ''] = (headers['webhook-signature'] ?? '').split(',');
    expect(version).toBe('v1a');
    expect(verify(null, signed, key, Buffer.from(signature, 'base64'))).toBe(true);
  });

  it('reaches webhooks of all companies too, with those of no company, and of companies that come later', async () => {
    await scene.subscribe(OF_ALL);
    await scene.happens('switch.completed', CONTOSO);
    await scene.happens('message.poison', OF_ALL);
    await scene.happens('switch.blocked', FABRIKAM);
    await scene.turn();
    expect(scene.typesAt().toSorted()).toEqual(['message.poison', 'switch.blocked', 'switch.completed']);
  });

  it('reaches no webhook of another company', async () => {
    await scene.subscribe(FABRIKAM);
    await scene.happens('switch.completed', CONTOSO);
    await scene.turn();
    expect(scene.receivers.attempts).toEqual([]);
  });

  it('is not told if it began before the webhook was there', async () => {
    await scene.happens('switch.started');
    scene.clock.advance(1_000);
    await scene.subscribe();
    await scene.happens('switch.completed');
    await scene.turn();
    expect(scene.typesAt()).toEqual(['switch.completed']);
  });

  it.each([
    [['switch.completed'], ['switch.completed']],
    [['switch.*'], ['switch.started', 'switch.completed']],
    [['*'], ['switch.started', 'vault.revoked', 'switch.completed']],
    [[], ['switch.started', 'vault.revoked', 'switch.completed']],
    [['secret.*'], []],
  ])('is told as %j asks', async (types, expected) => {
    await scene.subscribe(CONTOSO, { types });
    for (const action of ['switch.started', 'vault.revoked', 'switch.completed']) await scene.happens(action);
    await scene.turn();
    expect(scene.typesAt()).toEqual(expected);
  });

  it('is told once, however many turns and hosts there are, also after its chain was signed', async () => {
    await scene.subscribe();
    await scene.happens('switch.completed');
    const other = scene.process();
    await Promise.all([scene.turn(), scene.turn(other)]);
    await scene.sign();
    await scene.turn();
    await scene.turn(other);
    expect(scene.typesAt()).toEqual(['switch.completed']);
    expect(scene.receivers.attempts).toHaveLength(1);
  });

  it('is told also where its chain was signed before the timer came', async () => {
    await scene.subscribe();
    await scene.happens('switch.completed');
    await scene.sign();
    await scene.turn();
    expect(scene.typesAt()).toEqual(['switch.completed']);
  });
});

describe('a receiver that is away', () => {
  it('gets all events after an outage of three days, each in its order', async () => {
    const { verifier } = await scene.subscribe();
    scene.receivers.fail(HOST, 'webhook-unreachable');
    const happened: string[] = [];
    for (let hour = 0; hour < 71; hour += 1) {
      for (const action of [`switch.hour-${'x'.repeat(hour + 1)}`, `vault.hour-${'x'.repeat(hour + 1)}`]) {
        await scene.happens(action.slice(0, 60 + hour));
        happened.push(action.slice(0, 60 + hour));
      }
      await waits(HOUR_MS);
      if (hour % 3 === 0) await scene.sign();
    }
    expect(scene.receivers.taken).toEqual([]);
    scene.receivers.heal(HOST);
    await waits(12 * HOUR_MS);
    expect(scene.typesAt()).toEqual(happened);
    for (const message of scene.receivers.taken) {
      const sentAt = new Date(Number(message.headers['webhook-timestamp']) * 1000);
      expect(verifyAsReceiver(verifier!, message, sentAt)).toMatchObject({ specversion: '1.0' });
    }
    expect(await listDeadLetters(scene.host, { ...PLACE, limit: 10 })).toMatchObject({ value: { letters: [] } });
  });

  it('is asked again after 5 s, 5 min, 30 min, 2, 5 and 10 hours, each up to a fifth longer, until three days are over', async () => {
    await scene.subscribe();
    scene.receivers.fail(HOST);
    await scene.happens('switch.completed');
    const begun = scene.clock.now().getTime();
    const asked: number[] = [];
    scene.receivers.onSend = () => void asked.push((scene.clock.now().getTime() - begun) / 1000);
    await scene.turn();
    for (let s = 0; s < 80 * 3600; s += 5) {
      scene.clock.advance(5_000);
      // Only turns that may find something: the rest would ask the same rows in vain.
      if (s < 20 || s % 300 === 0) await scene.turn();
    }
    const waited = asked.slice(1).map((at, index) => at - asked[index]!);
    const [last, ...others] = waited.toReversed();
    for (const [index, seconds] of others.toReversed().entries()) {
      const shortest = [5, 300, 1_800, 7_200, 18_000][index] ?? 36_000;
      expect(seconds).toBeGreaterThanOrEqual(shortest);
      // Until the next turn.
      expect(seconds).toBeLessThanOrEqual(1.2 * shortest + (index === 0 ? 5 : 300));
    }
    expect(last).toBeLessThanOrEqual(43_500);
    expect(asked.at(-1)! / 3_600).toBeCloseTo(72, 0);
    const dead = await listDeadLetters(scene.host, { ...PLACE, limit: 10 });
    expect(dead).toMatchObject({
      value: { letters: [{ companyId: CONTOSO, sequence: 4, action: 'switch.completed', code: 'webhook-refused' }] },
    });
    expect(scene.log.events()).toContain('webhook.event-given-up');
  });

  it('that takes one event never gets the others meanwhile, and what was given up again on request', async () => {
    await scene.subscribe();
    scene.receivers.fail(HOST);
    await scene.happens('switch.poison');
    await waits(71 * HOUR_MS);
    await scene.happens('switch.later');
    await waits(2 * HOUR_MS);
    scene.receivers.heal(HOST);
    await waits(3 * HOUR_MS);
    expect(scene.typesAt()).toEqual(['switch.later']);
    expect(await requestRedelivery(scene.host, PLACE, ADMIN)).toMatchObject({ ok: true });
    await scene.turn();
    expect(scene.typesAt().slice(0, 2)).toEqual(['switch.later', 'switch.poison']);
    expect(await listDeadLetters(scene.host, { ...PLACE, limit: 10 })).toMatchObject({ value: { letters: [] } });
    scene.clock.advance(60_000);
    await scene.turn();
    expect(scene.typesAt().filter((type) => type === 'switch.poison')).toHaveLength(1);
  });

  it('keeps what was given up where it still takes nothing', async () => {
    await scene.subscribe();
    scene.receivers.fail(HOST);
    await scene.happens('switch.poison');
    await waits(73 * HOUR_MS);
    await requestRedelivery(scene.host, PLACE, ADMIN);
    await scene.turn();
    expect(await listDeadLetters(scene.host, { ...PLACE, limit: 10 })).toMatchObject({ value: { letters: [{}] } });
  });

  it('holds up no other webhook and no other company', async () => {
    await scene.subscribe(CONTOSO, {}, 'down');
    await scene.subscribe(CONTOSO, { url: 'https://other.contoso.com/' }, 'up');
    await scene.subscribe(OF_ALL, { url: 'https://hooks.vendor.com/' }, 'vendor');
    scene.receivers.fail(HOST, 'webhook-timed-out');
    await scene.happens('switch.completed', CONTOSO);
    await scene.happens('switch.blocked', FABRIKAM);
    await scene.turn();
    expect(scene.typesAt('other.contoso.com')).toEqual(['switch.completed']);
    expect(scene.typesAt('hooks.vendor.com').toSorted()).toEqual(['switch.blocked', 'switch.completed']);
    expect(await listDeliveries(scene.host, { companyId: CONTOSO, webhookId: 'down', limit: 10 })).toMatchObject({
      value: { cursors: [{ companyId: CONTOSO, attempts: 1, code: 'webhook-timed-out' }] },
    });
  });

  it('of all companies, while it is slow for each of them, holds up none of their own', async () => {
    const companies = Array.from({ length: 20 }, (_, index) => `company-${index}`);
    for (const companyId of companies) await putCompany(scene.host, { companyId, displayName: companyId }, ADMIN);
    for (const companyId of companies) await scene.subscribe(companyId, { url: `https://${companyId}.example.com/` });
    await scene.subscribe(OF_ALL, { url: 'https://slow.vendor.com/' }, 'vendor');
    scene.clock.advance(60_000);
    for (const companyId of companies) await scene.happens('vault.revoked', companyId);
    const { promise: answers, resolve: answer } = Promise.withResolvers<undefined>();
    scene.receivers.onSend = ({ url }) => (url === 'https://slow.vendor.com/' ? answers : undefined);
    const turn = scene.turn();
    const told = (): string[] => companies.filter((companyId) => scene.typesAt(`${companyId}.example.com`).length > 0);
    await vi.waitFor(() => expect(told()).toEqual(companies));
    expect(scene.receivers.at('slow.vendor.com')).toEqual([]);
    answer(undefined);
    await turn;
    expect(scene.typesAt('slow.vendor.com')).toHaveLength(companies.length);
    await scene.sign();
    await scene.turn();
    expect([...scene.store.dump()].filter(({ rowKey }) => rowKey.startsWith('notify|'))).toEqual([]);
  });

  it('is waited for as long as it asks', async () => {
    await scene.subscribe();
    scene.receivers.fail(HOST, 'webhook-refused', 3_600_000);
    await scene.happens('switch.completed');
    await scene.turn();
    await waits(50 * 60_000);
    expect(scene.receivers.attempts).toHaveLength(1);
    await waits(20 * 60_000);
    expect(scene.receivers.attempts).toHaveLength(2);
  });

  it('that answers 410 is sent nothing more, until it is put again; then it gets what it missed', async () => {
    await scene.subscribe();
    scene.receivers.fail(HOST, 'webhook-gone');
    await scene.happens('switch.completed');
    await scene.turn();
    await waits(HOUR_MS);
    expect(scene.receivers.attempts).toHaveLength(1);
    expect(await getWebhook(scene.host, PLACE)).toMatchObject({ value: { value: { state: 'off' } } });
    scene.receivers.heal(HOST);
    await putWebhook(scene.host, { ...PLACE, input: { url: URL_OF_HOST }, condition: {} }, ADMIN);
    await scene.turn();
    expect(scene.typesAt()).toEqual(['switch.completed', 'webhook.switched-off', 'webhook.put']);
  });
});

describe('a signing key', () => {
  it('that is new signs beside the one before, as long as was asked', async () => {
    const { verifier: first } = await scene.subscribe();
    const rotated = await rotateSecret(scene.host, { ...PLACE, overlapHours: 24 }, ADMIN);
    const second = rotated.ok ? rotated.value.verifier : '';
    await scene.happens('switch.started');
    await scene.turn();
    const both = scene.receivers.taken.at(-1)!;
    for (const secret of [first!, second])
      expect(verifyAsReceiver(secret, both, scene.clock.now())).toMatchObject({ type: 'switch.started' });
    scene.clock.advance(25 * HOUR_MS);
    await scene.happens('switch.completed');
    await scene.turn();
    const one = scene.receivers.taken.at(-1)!;
    expect(verifyAsReceiver(second, one, scene.clock.now())).toMatchObject({ type: 'switch.completed' });
    expect(() => verifyAsReceiver(first!, one, scene.clock.now())).toThrow('No matching signature');
  });

  it("that the vendor's vault does not open counts as no attempt at the receiver", async () => {
    await scene.subscribe();
    const cold = scene.process();
    scene.vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
    await scene.happens('switch.completed');
    await scene.turn(cold);
    expect(scene.receivers.attempts).toEqual([]);
    scene.vaults.heal();
    scene.clock.advance(120_000);
    await scene.turn(cold);
    expect(scene.typesAt()).toEqual(['switch.completed']);
  });
});

describe('a writer of the tables', () => {
  const tamper = (table: 'companies' | 'events', key: string, change: object): void => {
    const row = scene.store.peek(table, CONTOSO, key)!;
    scene.store.tamper(table, CONTOSO, key, { ...row.cells, ...change });
  };

  it.each([
    ['points a webhook elsewhere', { url: 'https://evil.com/' }],
    ['widens what it is told', { types: '["*"]' }],
    ['adds no key', { keys: '[]' }],
    ['leaves rubbish', { keys: 'rubbish' }],
    ['backdates it', { createdAt: '2020-01-01T00:00:00.000Z' }],
  ])('%s: nothing is sent, and it is a security event', async (_, change) => {
    await scene.subscribe(CONTOSO, { types: ['switch.*'] });
    tamper('companies', 'webhook|siem', change);
    await scene.happens('switch.completed');
    await scene.turn();
    expect(scene.receivers.attempts).toEqual([]);
    expect(scene.log.events()).toContain('security.row-forged');
  });

  it('copies a webhook to another company: nothing is sent of that one', async () => {
    await scene.subscribe();
    const row = scene.store.peek('companies', CONTOSO, 'webhook|siem')!;
    scene.store.tamper('companies', FABRIKAM, 'webhook|siem', row.cells);
    await scene.happens('switch.completed', FABRIKAM);
    await scene.turn();
    expect(scene.receivers.attempts).toEqual([]);
  });

  it('appends an event as Keyswitch would: it is sent, and stands in the record, which the next signed head covers', async () => {
    await scene.subscribe();
    await scene.happens('switch.started');
    await scene.turn();
    const last = scene.store.peek('events', CONTOSO, '0000000000000004')!;
    const made = chained(
      { ...readRecord(last.cells, CONTOSO)!, id: 'made-up', action: 'vault.healthy' },
      {
        sequence: 4,
        hash: String(last.cells['hash']),
      },
    );
    scene.store.tamper('events', CONTOSO, '0000000000000005', recordCells(made));
    tamper('events', '!head', { sequence: 5, hash: made.hash });
    await scene.turn();
    expect(scene.typesAt()).toEqual(['switch.started', 'vault.healthy']);
  });

  it('changes or invents an event: it is not sent, nor what stands behind it', async () => {
    await scene.subscribe();
    await scene.happens('switch.started');
    await scene.happens('switch.completed');
    tamper('events', '0000000000000005', { action: 'vault.revoked' });
    await scene.turn();
    expect(scene.typesAt()).toEqual(['switch.started']);
    expect(scene.log.events()).toContain('security.events-not-led');
  });
});
