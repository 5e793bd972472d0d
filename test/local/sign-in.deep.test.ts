import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEnvironment, type Environment } from '../../local/environment.ts';
import { writeEnvironmentFile } from '../../local/environment/environment-file.ts';
import { CONNECTOR_APP_ID, GOOGLE_CLIENT_ID } from '../../local/identities.ts';
import { challengeOf } from '../../local/oidc/pkce.ts';
import { UsageError } from '../../scripts/command-line.ts';
import { readSignInOptions } from '../../local/sign-in-options.ts';
import { withQuery } from './people-come-back.ts';
import { runScript } from './run-script.ts';

let environment: Environment;
let directory: string;
/** An application with a link: its page has a button, which leads to where `leadsTo` says. */
let app: Server;
let origin: string;
let leadsTo: string;
let cameBack: URLSearchParams;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-sign-in-'));
  environment = await startEnvironment();
  await writeEnvironmentFile(join(directory, 'environment.json'), environment);
  app = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', origin);
    if (pathname === '/callback') cameBack = searchParams;
    if (request.method === 'POST') response.writeHead(303, { location: leadsTo }).end();
    else {
      const failed = pathname === '/callback' && searchParams.has('error');
      const form =
        pathname === '/callback' ? '<p>That was all.</p>' : '<form method="post"><button>Start</button></form>';
      response.writeHead(failed ? 403 : 200, { 'content-type': 'text/html' });
      response.end(`<title>App</title><h1>App</h1>${form}`);
    }
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
  const redirectUri = `${origin}/callback`;
  await environment.entra.call('POST', `/apps/${CONNECTOR_APP_ID}/redirect-uris`, { redirectUri });
  await environment.google.call('POST', `/clients/${GOOGLE_CLIENT_ID}/redirect-uris`, { redirectUri });
});
afterAll(async () => {
  app.closeAllConnections();
  await new Promise((resolve) => app.close(resolve));
  await environment.close();
  await rm(directory, { recursive: true });
});
beforeEach(() => {
  cameBack = new URLSearchParams();
  leadsTo = consentOf(environment.customers.contoso.tenantId);
});

const consentOf = (tenantId: string): string =>
  withQuery(`https://login.microsoftonline.com/${tenantId}/v2.0/adminconsent`, {
    client_id: CONNECTOR_APP_ID,
    scope: 'openid',
    redirect_uri: `${origin}/callback`,
    state: 'one',
  });

const run = (...args: readonly string[]): ReturnType<typeof runScript> =>
  runScript('sign-in.ts', ['--directory', directory, ...args]);

describe('npm run sign-in', () => {
  it("goes from the app's page over Entra's back to the app, and says what it saw and pressed", async () => {
    const { code, text } = await run(`${origin}/link`, '--as', 'contoso-global-admin');
    expect([code, cameBack.get('tenant')]).toEqual([0, environment.customers.contoso.tenantId]);
    const steps = text.split('\n').filter((line) => / · |> |That/.test(line));
    expect(steps).toEqual([
      '127.0.0.1 · App',
      '  > Start',
      'login.microsoftonline.com · Sign in to your account',
      '  > Sign in',
      'login.microsoftonline.com · Permissions requested',
      '  > Accept',
      '127.0.0.1 · App',
      '  That was all.',
    ]);
  });

  it('says no when told to, and ends with 1 on a page that is no success', async () => {
    const { code, text } = await run(`${origin}/link`, '--as', 'contoso-privileged-role-admin', '--decline');
    expect([code, cameBack.get('error')]).toEqual([1, 'access_denied']);
    expect(text).toContain('  > Cancel');
  });

  it('goes through the pages of Google too', async () => {
    leadsTo = withQuery('https://accounts.google.com/o/oauth2/v2/auth', {
      client_id: GOOGLE_CLIENT_ID,
      response_type: 'code',
      scope: 'openid email',
      redirect_uri: `${origin}/callback`,
      state: 'two',
      hd: 'contoso.example',
      code_challenge: challengeOf('v'.repeat(43)),
      code_challenge_method: 'S256',
    });
    const { code } = await run(`${origin}/link`, '--as', 'contoso-google-super-admin');
    expect([code, cameBack.get('hd')]).toEqual([0, 'contoso.example']);
  });

  it('stops where the provider does not know the person', async () => {
    const { code, text } = await run(`${origin}/link`, '--as', 'contoso-google-super-admin');
    expect([code, cameBack.size]).toEqual([1, 0]);
    expect(text).toContain("We couldn't find an account with that username.");
  });

  it('names everybody when nobody has that name', async () => {
    const { code, text } = await run(`${origin}/link`, '--as', 'nobody');
    expect(code).toBe(2);
    for (const name of Object.keys(environment.persons)) expect(text).toContain(name);
  });

  it('says that nothing is running when there is no environment file', async () => {
    const { code, text } = await run(`${origin}/link`, '--as', 'x', '--directory', join(directory, 'none'));
    expect([code, text]).toEqual([2, expect.stringContaining("is 'npm start' running?")]);
  });

  it.each([[[]], [['one', 'two']], [['ftp://x', '--as', 'x']], [['http://x']], [['http://x', '--what']]])(
    'refuses the arguments %j',
    (args) => {
      expect(() => readSignInOptions(args, { directory })).toThrow(UsageError);
    },
  );
});

it('every customer has its three people, and the tenants of contoso have theirs', () => {
  const people = ['global-admin', 'privileged-role-admin', 'user'];
  const tenants = ['contoso', 'fabrikam', 'northwind', 'contoso-europe', 'contoso-research'];
  expect(Object.keys(environment.persons)).toEqual([
    ...tenants.flatMap((tenant) => people.map((person) => `${tenant}-${person}`)),
    'contoso-google-super-admin',
    'contoso-google-delegated-admin',
    'contoso-google-user',
  ]);
});
