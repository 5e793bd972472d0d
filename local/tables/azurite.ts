// Azurite's own table service as a request listener, without its server: ours stands in front of it in the same
// thread, so that a request is not parsed and encrypted twice. Reaches into Azurite's modules because the package
// exports none; its version is pinned.
import type { IncomingMessage, ServerResponse } from 'node:http';
import Module, { createRequire } from 'node:module';
import { refuseAsAzure, type LimitedModules } from './azurite-limits.ts';
import { indexLookups, type TableStore } from './azurite-store.ts';
import { keepTables } from './kept-tables.ts';

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

interface AzuriteTables {
  readonly listener: RequestListener;
  /** To be called before a request is answered: what it wrote is on disk then, if tables are kept there. */
  readonly save: () => void;
  close(): Promise<void>;
}

interface ListenerFactory {
  createRequestListener(): RequestListener;
}

interface AzuriteModules {
  readonly Store: new (file: string, inMemory: boolean) => TableStore;
  readonly Factory: new (...options: unknown[]) => ListenerFactory;
  readonly commonUtils: { truncatedISO8061Date: (date: Date, withMs?: boolean, fine?: boolean) => string };
  readonly tableUtils: {
    getEntityOdataAnnotationsForResponse: (...of: [string, string, string, string, string, string]) => {
      odatametadata?: string;
    };
  };
  readonly BatchSerialization: { prototype: { extractPath(url: string): RegExpExecArray | null } };
  readonly limited: LimitedModules;
  readonly oauthBasic: unknown;
  readonly keyAuthenticators: readonly { readonly prototype: { validate(): Promise<undefined> } }[];
}

/** `file` is where the tables are kept from run to run; in memory only when it is left out. */
export async function openAzurite(options: {
  readonly account: string;
  readonly file?: string;
}): Promise<AzuriteTables> {
  const { Store, Factory, commonUtils, tableUtils, limited, BatchSerialization, oauthBasic, keyAuthenticators } =
    loadModules();
  const coarseDate = commonUtils.truncatedISO8061Date;
  commonUtils.truncatedISO8061Date = (date, withMs, fine) =>
    fine === true ? neverRepeatingTimestamp() : coarseDate(date, withMs);
  // As it comes, it says of every list of entities that it is one of tables.
  const annotations = tableUtils.getEntityOdataAnnotationsForResponse;
  tableUtils.getEntityOdataAnnotationsForResponse = (...of) => {
    const found = annotations(...of);
    const [, table, , partitionKey] = of;
    const { odatametadata } = found;
    if (partitionKey !== '' || odatametadata === undefined) return found;
    return { ...found, odatametadata: odatametadata.replace(/#.*$/, `#${table}`) };
  };
  // As it comes, it finds the table in a batch only under 127.0.0.1/account/table, not under the real host name.
  BatchSerialization.prototype.extractPath = (url) => /^https?:\/\/[^/]+\/(\w+)/.exec(url);
  // Only bearer tokens open it; with a key or a shared access signature it would first try every request, an eighth of all its work.
  for (const { prototype } of keyAuthenticators) prototype.validate = () => Promise.resolve(undefined);
  refuseAsAzure(limited);
  // Its own way of keeping tables writes all of them every five seconds, and loses what came since if the process is killed.
  const store = new Store('in-memory', true);
  await store.init();
  const kept = options.file === undefined ? undefined : keepTables(store, options.file);
  indexLookups(store, kept?.listener);
  await kept?.restore();
  const accounts = { getAccount: (name: string) => (name === options.account ? { name, key1: NO_KEY } : undefined) };
  const noAccessLog = [false, undefined] as const;
  const skipVersionCheck = true;
  const factory = new Factory(store, accounts, ...noAccessLog, skipVersionCheck, oauthBasic, false);
  return {
    listener: factory.createRequestListener(),
    save: () => kept?.save(),
    close: async () => {
      await store.close();
      kept?.close();
    },
  };
}

/** Azurite asks for one; this one is known to nobody. */
const NO_KEY = crypto.getRandomValues(Buffer.alloc(64));

function loadModules(): AzuriteModules {
  const require = createRequire(import.meta.url);
  leaveOutTelemetry(require);
  const load = (path: string): Record<string, unknown> =>
    require(`azurite/dist/src/${path}.js`) as Record<string, unknown>;
  const levels = load('common/models')['OAuthLevel'] as Record<string, unknown>;
  return {
    Store: load('table/persistence/LokiTableMetadataStore')['default'] as AzuriteModules['Store'],
    Factory: load('table/TableRequestListenerFactory')['default'] as AzuriteModules['Factory'],
    commonUtils: load('common/utils/utils') as unknown as AzuriteModules['commonUtils'],
    tableUtils: load('table/utils/utils') as unknown as AzuriteModules['tableUtils'],
    BatchSerialization: load('table/batch/BatchSerialization')[
      'BatchSerialization'
    ] as AzuriteModules['BatchSerialization'],
    limited: {
      TableHandler: load('table/handlers/TableHandler')['default'] as LimitedModules['TableHandler'],
      BatchSerialization: load('table/batch/TableBatchSerialization')[
        'TableBatchSerialization'
      ] as LimitedModules['BatchSerialization'],
      StorageError: load('table/errors/StorageError')['default'] as LimitedModules['StorageError'],
    },
    oauthBasic: levels['BASIC'],
    keyAuthenticators: [
      'TableSharedKeyLiteAuthenticator',
      'TableSharedKeyAuthenticator',
      'AccountSASAuthenticator',
      'TableSASAuthenticator',
    ].map((name) => load(`table/authentication/${name}`)['default'] as AzuriteModules['keyAuthenticators'][number]),
  };
}

/** It is off unless switched on, and yet loading it takes a third of Azurite's start. */
function leaveOutTelemetry(require: NodeJS.Require): void {
  const id = require.resolve('azurite/dist/src/common/Telemetry.js');
  const stand = new Module(id);
  stand.exports = { AzuriteTelemetryClient: { TraceRequest: () => undefined } };
  stand.loaded = true;
  require.cache[id] = stand;
}

const TICKS_PER_MS = 10_000;
let lastMs = 0;
let lastTick = 0;

/**
 * The time with seven digits, of which Azurite makes its ETags. Its own last digits can repeat within 0.1 ms, and an
 * ETag that repeats lets a lost update through.
 */
function neverRepeatingTimestamp(): string {
  const now = Date.now();
  lastTick = now > lastMs ? 0 : lastTick + 1;
  lastMs = Math.max(now, lastMs);
  if (lastTick === TICKS_PER_MS) {
    lastMs += 1;
    lastTick = 0;
  }
  return `${new Date(lastMs).toISOString().slice(0, -1)}${String(lastTick).padStart(4, '0')}Z`;
}
