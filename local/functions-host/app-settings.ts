// App settings: what the host adds to them, `%Name%` inside a binding, and identity-based Service Bus connections
// (`<connection>__fullyQualifiedNamespace`, `__credential`, `__clientId`).
import { IndexingError } from './function-errors.ts';

export type AppSettings = Readonly<Record<string, string | undefined>>;

/**
 * Where this host is found, for the app: WEBSITE_HOSTNAME as Azure sets it, and the address that the vendor would set. On
 * loopback that is plain http. A host that got an address of its own keeps it.
 */
export function addressSettings(url: string, settings: AppSettings): Readonly<Record<string, string>> {
  return {
    WEBSITE_HOSTNAME: settings['WEBSITE_HOSTNAME'] ?? new URL(url).host,
    KEYSWITCH_PUBLIC_URL: settings['KEYSWITCH_PUBLIC_URL'] ?? url,
  };
}

const HOST_ASSEMBLY = 'Microsoft.Azure.WebJobs.Host';

/** Replaces every `%Name%` (NameResolverExtensions.ResolveWholeString). Throws an IndexingError for one that is not set or not closed. */
export function expandSettings(text: string, settings: AppSettings): string {
  return text.replace(/%([^%]*)(%?)/g, (_, name: string, closed: string, position: number) => {
    if (closed === '') {
      throw new IndexingError(HOST_ASSEMBLY, `The '%' at position ${position} does not have a closing '%'`);
    }
    const value = settings[name];
    if (value === undefined) throw new IndexingError(HOST_ASSEMBLY, `'%${name}%' does not resolve to a value.`);
    return value;
  });
}

export interface ServiceBusConnection {
  readonly fullyQualifiedNamespace: string;
  /** Of the user-assigned managed identity; the system-assigned one when there is none. */
  readonly clientId?: string;
}

export function readServiceBusConnection(name: string, settings: AppSettings): ServiceBusConnection {
  const read = (option: string): string | undefined =>
    settings[`${name}__${option}`] ?? settings[`AzureWebJobs${name}__${option}`];
  const fullyQualifiedNamespace = read('fullyQualifiedNamespace');
  if (fullyQualifiedNamespace === undefined) {
    // Only identity-based connections work here.
    throw new IndexingError(
      'Microsoft.Azure.WebJobs.Extensions.ServiceBus',
      `Service Bus account connection string '${name}' does not exist. Make sure that it is a defined App Setting.`,
    );
  }
  const credential = read('credential');
  if (credential !== undefined && credential.toLowerCase() !== 'managedidentity') {
    throw new Error(`${name}__credential is '${credential}', only 'managedidentity' is known.`);
  }
  const clientId = credential === undefined ? settings['AZURE_CLIENT_ID'] : read('clientId');
  return { fullyQualifiedNamespace, ...(clientId === undefined ? {} : { clientId }) };
}
