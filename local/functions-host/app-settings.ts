// App settings as bindings use them: `%Name%` inside a binding, and identity-based Service Bus connections
// (`<connection>__fullyQualifiedNamespace`, `__credential`, `__clientId`).

export type AppSettings = Readonly<Record<string, string | undefined>>;

/** Replaces every `%Name%`; one that is not set is thrown, as the host refuses to start with it. */
export function expandSettings(text: string, settings: AppSettings): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`'%${name}%' does not resolve to a value.`);
    return value;
  });
}

interface ServiceBusConnection {
  readonly fullyQualifiedNamespace: string;
  /** Of the user-assigned managed identity; the system-assigned one when there is none. */
  readonly clientId?: string;
}

export function readServiceBusConnection(name: string, settings: AppSettings): ServiceBusConnection {
  const read = (option: string): string | undefined =>
    settings[`${name}__${option}`] ?? settings[`AzureWebJobs${name}__${option}`];
  const fullyQualifiedNamespace = read('fullyQualifiedNamespace');
  if (fullyQualifiedNamespace === undefined) {
    throw new Error(
      `Service Bus connection '${name}' does not exist: set ${name}__fullyQualifiedNamespace. ` +
        'Only identity-based connections work here.',
    );
  }
  const credential = read('credential');
  if (credential !== undefined && credential.toLowerCase() !== 'managedidentity') {
    throw new Error(`${name}__credential is '${credential}', only 'managedidentity' is known.`);
  }
  const clientId = credential === undefined ? settings['AZURE_CLIENT_ID'] : read('clientId');
  return { fullyQualifiedNamespace, ...(clientId === undefined ? {} : { clientId }) };
}
