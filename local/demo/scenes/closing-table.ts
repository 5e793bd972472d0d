// The end: the figures of the switch, and what the vaults were asked for it, beside what the design allows.
import type { RequestRecord } from '../../control/control.ts';
import { SEAL_VAULT_HOST } from '../../identities.ts';
import { CACHE_LIFETIME_MS, type Demo } from '../demo.ts';
import { VENDOR_KEK } from '../theft.ts';
import { lifetimesIn, switchCallLimit, vaultCalls, type VaultCalls } from '../vault-calls.ts';
import { number, seconds } from '../words.ts';
import type { SwitchReport } from './switch-under-load.ts';

/** While a switch runs, callers use both versions of the company key. */
const VERSIONS_IN_USE = 2;

export async function closingTable(demo: Demo, report: SwitchReport): Promise<void> {
  const { screen, environment } = demo;
  screen.section('The switch in figures');
  const { keys, workMs, reader } = report;
  screen.table([
    ['data keys moved', number(keys)],
    ['time, without the wait for people', seconds(workMs)],
    ['data keys a second', number((1000 * keys) / workMs)],
    ['unwraps by the reader meanwhile', number(reader.unwraps)],
    ['errors of the reader', number(reader.errors)],
  ]);
  screen.line();
  vaultTable(demo, report, await environment.keyVault.requests(report.firstRequest));
}

function vaultTable(demo: Demo, report: SwitchReport, records: readonly RequestRecord[]): void {
  const { screen } = demo;
  const { contoso } = demo.environment.customers;
  const { begunAt, endedAt, hostProcesses } = report;
  const customer = vaultCalls(records, { host: contoso.vaultHost, until: endedAt });
  const kek = vaultCalls(records, { host: VENDOR_KEK.host, until: endedAt });
  const seal = vaultCalls(records, { host: SEAL_VAULT_HOST, until: endedAt });
  const lifetimes = lifetimesIn(endedAt.getTime() - begunAt.getTime(), CACHE_LIFETIME_MS);
  const limit = switchCallLimit({ hostProcesses, lifetimes });
  const callers = VERSIONS_IN_USE * hostProcesses * lifetimes;
  const shown = ({ get, unwrapKey, wrapKey, sign, refused, challenges }: VaultCalls): string[] =>
    [get, unwrapKey, wrapKey, sign, refused, challenges].map(String);
  screen.say('Vault calls of the switch, from the request logs of the vaults:');
  screen.table(
    [
      ['', 'get', 'unwrapKey', 'wrapKey', 'sign', 'refused', '401 first', 'get + unwrapKey may be'],
      [`Contoso’s ${contoso.vaultHost.split('.')[0] ?? ''}`, ...shown(customer), String(limit)],
      ['the vendor’s key', ...shown(kek), `${limit} + ${callers} of the reader`],
      ['the vendor’s seal', ...shown(seal), ''],
    ],
    [false, true, true, true, true, true, true, false],
  );
  screen.say(
    `Allowed: 6, and 3 for each of ${hostProcesses} host processes and ${lifetimes} lifetimes of a key in memory ` +
      `(${seconds(CACHE_LIFETIME_MS)}), whatever the number of data keys. The reader’s own unwraps go to the key in force, the vendor’s, until the end.`,
    'quiet',
  );
  const asked = customer.get + customer.unwrapKey;
  demo.check(
    asked <= limit && kek.get + kek.unwrapKey <= limit + callers && customer.challenges <= hostProcesses,
    `${number(report.keys)} data keys moved with ${asked} calls to Contoso’s vault.`,
    `The vaults were asked more often than allowed: ${asked} and ${kek.get + kek.unwrapKey} times`,
  );
  demo.check(
    customer.others + customer.wrapKey + customer.sign + customer.refused + kek.refused === 0,
    'Contoso’s vault was asked for get and unwrapKey only, and refused nothing.',
    `Contoso’s vault was asked for more than get and unwrapKey, or refused: ${JSON.stringify(customer)}`,
  );
}
