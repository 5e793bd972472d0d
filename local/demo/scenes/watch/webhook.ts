// Watch, scene 1: the webhook is made, and its receiver proved: it takes what the secret has signed, and nothing else.
import { randomBytes, randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { ErrorAnswer, WebhookAnswer, WebhookTestAnswer } from '../../answers.ts';
import type { Answer } from '../../api-client.ts';
import type { Demo } from '../../demo.ts';
import { RECEIVER, RECEIVER_URL } from '../../receiver.ts';

const PATH = '/companies/contoso/webhooks/security';
const TYPES = ['vault.*', 'key-version.*', 'switch.completed'];
const ON_LOOPBACK = 'https://127.0.0.1/events';
/** Knows the same secret, and hears only what is tried on it here. */
const PROOF_RECEIVER = 'proof.receivers.example.com';
const TOO_OLD_MS = 6 * 60_000;
const TAKEN = 204;
const REFUSED = 401;

export async function makeWebhook(demo: Demo): Promise<void> {
  const { screen, environment, options } = demo;
  const loopback = await put(demo, ON_LOOPBACK);
  const { code } = (loopback.body as Partial<ErrorAnswer>).error ?? {};
  demo.check(
    code === 'webhook-host-not-public',
    `A webhook to ${ON_LOOPBACK} is refused (${code ?? ''}): Keyswitch connects to public addresses only.`,
    `A webhook to ${ON_LOOPBACK} should be refused, and was answered ${loopback.status} ${code ?? ''}`,
  );
  const { verifier } = (await put(demo, RECEIVER_URL)).body as WebhookAnswer;
  const other = `whsec_${randomBytes(32).toString('base64')}`;
  environment.receivers.trust(RECEIVER, options.damage === 'webhook' ? other : verifier);
  screen.done(
    `Contoso’s admin enters ${RECEIVER_URL} for ${TYPES.join(', ')}. The answer shows the secret, this once.`,
  );
  screen.detail(
    'The receiver runs in this demo, on loopback; the stand-in for DNS shows a public address. It verifies with the package standardwebhooks:',
    'quiet',
  );
  screen.command('new Webhook(secret).verify(body, headers) // throws unless the secret signed');
  await checkTest(demo);
  environment.receivers.trust(PROOF_RECEIVER, verifier);
  await checkReceiver(demo, { secret: verifier, other });
}

const put = ({ api, environment }: Demo, url: string): Promise<Answer> =>
  api.call({ token: environment.tokens.companyAdmins.contoso, method: 'PUT', path: PATH, body: { url, types: TYPES } });

async function checkTest(demo: Demo): Promise<void> {
  const { api, environment, screen } = demo;
  const token = environment.tokens.companyAdmins.contoso;
  const answer = await api.must({ token, method: 'POST', path: `${PATH}/test`, body: {} });
  const { status, failure } = answer as WebhookTestAnswer;
  if (status !== 'taken') throw new Error(`the receiver did not take a message of type webhook.test: ${failure?.code}`);
  screen.done('A message of type webhook.test is sent: the receiver verifies its signature, and takes it.');
}

/** What is sent to it here is signed, and then changed, as a forger would change it. */
async function checkReceiver(
  demo: Demo,
  { secret, other }: { readonly secret: string; readonly other: string },
): Promise<void> {
  const now = new Date();
  const early = new Date(now.getTime() - TOO_OLD_MS);
  const statuses = [
    await send({ secret, at: now }),
    await send({ secret, at: now, spoilt: true }),
    await send({ secret: other, at: now }),
    await send({ secret, at: early }),
  ];
  const [taken, ...refused] = statuses;
  demo.check(
    taken === TAKEN && refused.every((status) => status === REFUSED),
    'It refuses a message that was changed, one that another secret signed, and one that is six minutes old.',
    `The receiver should take the first of four messages, and answered ${statuses.join(', ')}`,
  );
}

interface Sending {
  readonly secret: string;
  readonly at: Date;
  /** Changed after it was signed. */
  readonly spoilt?: true;
}

async function send({ secret, at, spoilt }: Sending): Promise<number> {
  const id = randomUUID();
  const signed = JSON.stringify({ id, type: 'vault.healthy', data: { state: 'healthy' } });
  const answer = await fetch(`https://${PROOF_RECEIVER}/events`, {
    method: 'POST',
    headers: {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, at, signed),
    },
    body: spoilt ? signed.replace('healthy', 'revoked') : signed,
  });
  return answer.status;
}
