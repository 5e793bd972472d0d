// An app that uses everything the embedded run offers as the product does: real names, real clients, the managed
// identity and the federated credential, no secret. It decides nothing; it says what it met.
import { app, type HttpResponseInit } from '@azure/functions';
import { TableClient } from '@azure/data-tables';
import { ClientAssertionCredential, ManagedIdentityCredential } from '@azure/identity';
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys';
import { ServiceBusClient } from '@azure/service-bus';

const env = (name: string): string => process.env[name] ?? '';
const identity = new ManagedIdentityCredential({ clientId: env('AZURE_CLIENT_ID') });
const NO_RETRIES = { retryOptions: { maxRetries: 0 } };

async function assertion(): Promise<string> {
  return (await identity.getToken('api://AzureADTokenExchange/.default')).token;
}

async function saying(work: () => Promise<unknown>): Promise<HttpResponseInit> {
  try {
    return { jsonBody: { ok: await work() } };
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    return { jsonBody: { error: message, code } };
  }
}

app.get('key', (request) =>
  saying(async () => {
    const tenant = request.query.get('tenant') ?? '';
    const credential = new ClientAssertionCredential(tenant, env('KEYSWITCH_CONNECTOR_CLIENT_ID'), assertion);
    const client = new KeyClient(request.query.get('vault') ?? '', credential, NO_RETRIES);
    return (await client.getKey(request.query.get('key') ?? '')).id;
  }),
);

app.get('sign', () =>
  saying(async () => {
    const vault = `https://${env('KEYSWITCH_SEAL_VAULT_HOST')}`;
    const key = await new KeyClient(vault, identity, NO_RETRIES).getKey(env('KEYSWITCH_SEAL_KEY_NAME'));
    const { result } = await new CryptographyClient(key, identity).sign('ES256', Buffer.alloc(32, 1));
    return result.length;
  }),
);

const events = new TableClient(env('KEYSWITCH_TABLES_ENDPOINT'), 'events', identity, NO_RETRIES);

app.http('row', {
  methods: ['GET'],
  handler: (request) => saying(async () => await events.getEntity('probe', request.query.get('id') ?? '')),
});

app.http('message', {
  methods: ['POST'],
  handler: (request) =>
    saying(async () => {
      const client = new ServiceBusClient(env('KEYSWITCH_SERVICE_BUS__fullyQualifiedNamespace'), identity);
      await client.createSender(env('KEYSWITCH_WORK_QUEUE')).sendMessages({ body: await request.json() });
      await client.close();
      return true;
    }),
});

app.serviceBusQueue('work', {
  connection: 'KEYSWITCH_SERVICE_BUS',
  queueName: '%KEYSWITCH_WORK_QUEUE%',
  handler: async (message) => {
    const { id } = message as { id: string };
    await events.createEntity({ partitionKey: 'probe', rowKey: id, pid: process.pid });
  },
});

app.timer('beat', {
  schedule: '* * * * * *',
  handler: (_timer, context) => context.log(`beat of ${process.pid}`),
});

app.get('outside', () => saying(async () => (await fetch('https://example.com')).status));
