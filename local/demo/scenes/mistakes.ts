// Scene 2: the mistakes people make when they connect their vault, in order, each as the API tells it; then green.
import type { Failure } from '../answers.ts';
import { askForConsent, enterConnection, failureOf, testConnection } from '../company.ts';
import type { Demo } from '../demo.ts';
import { tellRefusedVisit, tellVisit } from '../people.ts';
import { tellFailure } from '../tell-failure.ts';

interface Mistake {
  readonly what: string;
  readonly code: string;
  provoke(): Promise<Failure | undefined>;
  /** What the company's people do about it, and how that is told. */
  readonly mended: string;
  mend?(): Promise<void>;
}

/** A network that the vendor's hosts are not in. */
const OFFICE_NETWORK = '203.0.113.0/24';
const OUR_ADDRESS = '192.0.2.10';
const KEY_VERSION = '0123456789abcdef0123456789abcdef';

export async function mistakes(demo: Demo): Promise<void> {
  const { screen, environment } = demo;
  const { contoso } = environment.customers;
  screen.section('2  Contoso connects its own key, and what goes wrong for most people goes wrong');
  const list = mistakesOf(demo);
  for (const [index, mistake] of list.entries()) {
    await tell(demo, mistake, `${index + 1}. ${mistake.what}`);
    screen.line();
  }
  const test = await testConnection(demo, contoso);
  const passed = test.checks.filter(({ outcome }) => outcome === 'passed').map(({ check }) => check);
  demo.check(
    test.status === 'green',
    `The test is green: ${passed.join(', ')}. The key never left its vault, and no secret was exchanged.`,
    `The connection test should be green, and is ${test.status} (${failureOf(test)?.code ?? 'no failure'})`,
  );
}

function mistakesOf(demo: Demo): readonly Mistake[] {
  const { contoso } = demo.environment.customers;
  const { vaultUri, keyName } = contoso;
  const enter = (typed: { vaultUri: string; keyName: string }) => (): Promise<Failure | undefined> =>
    enterConnection(demo, contoso, typed);
  const test = async (): Promise<Failure | undefined> => failureOf(await testConnection(demo, contoso));
  return [
    {
      what: 'The whole URL of the key is pasted as the vault’s',
      code: 'vault-uri-contains-key-path',
      provoke: enter({ vaultUri: `${vaultUri}/keys/${keyName}/${KEY_VERSION}`, keyName }),
      mended: 'The admin tries another line of the portal.',
    },
    {
      what: 'The URL of a secret is pasted',
      code: 'vault-uri-is-secret',
      provoke: enter({ vaultUri: `${vaultUri}/secrets/${keyName}`, keyName }),
      mended: `The admin enters ${vaultUri}.`,
    },
    {
      what: 'The key is mistyped',
      code: 'key-name-invalid',
      provoke: enter({ vaultUri, keyName: keyName.replace('-', '_') }),
      mended: `The admin copies the name, ${keyName}, and both values are taken.`,
      mend: async () => expectTaken(await enterConnection(demo, contoso, { vaultUri, keyName })),
    },
    {
      what: 'Nobody has consented to the vendor’s app',
      code: 'consent-required',
      provoke: test,
      mended: 'That is consent, to this key for this company. It opens nothing yet.',
      mend: () => consent(demo),
    },
    {
      what: 'The app has no role on the key',
      code: 'access-denied-rbac',
      provoke: test,
      mended: 'The Azure admin assigns the role, on this key only.',
      mend: async () => {
        await contoso.grant();
        // The vault's owner keeps it closed to all but the office.
        await contoso.changeVault({ firewall: [OFFICE_NETWORK] });
      },
    },
    {
      what: 'The vault’s firewall lets only the office in',
      code: 'vault-firewall',
      provoke: test,
      mended: `The Azure admin allows ${OUR_ADDRESS}.`,
      mend: () => contoso.changeVault({ firewall: [OFFICE_NETWORK, OUR_ADDRESS] }),
    },
  ];
}

/**
 * By a link that Contoso's admin asks for. Whoever may not consent is told so by Microsoft, which says no more than that nobody consented;
 * the link is good for the next.
 */
async function consent(demo: Demo): Promise<void> {
  const { contoso } = demo.environment.customers;
  const link = await askForConsent(demo, contoso);
  demo.screen.done('Contoso’s admin asks for a link, and sends it round.');
  const uma = { name: 'contoso-user', as: 'an ordinary user of Contoso’s tenant' };
  await tellRefusedVisit(demo, { link, ...uma, code: 'consent-declined' });
  demo.screen.line();
  await tellVisit(demo, { link, name: 'contoso-global-admin', as: 'Global Administrator of Contoso’s tenant' });
}

function expectTaken(failure: Failure | undefined): void {
  if (failure) throw new Error(`the right values were refused: ${failure.code}`);
}

/** Shows a mistake with its code, message and fix as the API gave them, and has it mended. */
export async function tell(demo: Demo, mistake: Mistake, title: string): Promise<void> {
  const { screen } = demo;
  const failure = await mistake.provoke();
  screen.say(title, 'strong');
  if (failure?.code !== mistake.code) {
    demo.check(false, title, `“${mistake.what}” should be ${mistake.code}, and is ${failure?.code ?? 'accepted'}`);
  }
  if (failure) tellFailure(demo, failure);
  await mistake.mend?.();
  screen.done(mistake.mended);
}
