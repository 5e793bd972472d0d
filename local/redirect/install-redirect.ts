// Makes this process meet the emulators under Azure's real names: patches name lookup and the opening of sockets, so
// that every client above them (https, fetch, rhea, the Azure SDKs) follows without knowing. Host header and SNI keep
// the real name. Nothing but loopback is ever connected to. It cannot be taken back; a later table takes the place of the one before.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { isIP, Socket } from 'node:net';
import tls from 'node:tls';
import { aliasesOf, lookupAddress, lookupFunction, shownAddress } from './name-lookup.ts';
import { findRedirectHost, isLoopback, type RedirectTable } from './redirect-table.ts';

interface ConnectOptions {
  readonly host?: string;
  readonly port?: number | string;
  /** A socket of the file system; https passes null. */
  readonly path?: string | null;
}

type Connect = (this: Socket, ...args: unknown[]) => Socket;

/** The one that counts; undefined as long as the process reaches the real network. */
let inForce: RedirectTable | undefined;

export function installRedirect(table: RedirectTable): void {
  const isFirst = inForce === undefined;
  inForce = table;
  tls.setDefaultCACertificates([table.caPem]);
  if (isFirst) patch(() => inForce ?? table);
}

function patch(table: () => RedirectTable): void {
  const lookup = lookupFunction(table, lookupAddress);
  Object.assign(dns, { lookup: lookupFunction(table, shownAddress) });
  Object.assign(dns.promises, {
    lookup: async (host: string, options?: { all?: boolean }) => {
      const found = await shownAddress(table(), host);
      return options?.all === true ? [found] : found;
    },
  });
  refuseResolvers();
  Object.assign(dns.promises, { resolveCname: (host: string) => aliasesOf(table(), host) });
  // Every connection of Node, TLS or not, opens through this one method; tls.connect has settled SNI before it.
  const connect = Reflect.get(Socket.prototype, 'connect') as Connect;
  Object.assign(Socket.prototype, {
    connect(this: Socket, ...args: unknown[]): Socket {
      const { options, withOptions } = readArguments(args);
      const target = aim(table(), options);
      if (target instanceof Error) {
        process.nextTick(() => this.destroy(target));
        return this;
      }
      return connect.apply(this, withOptions({ ...options, ...target, lookup }));
    },
  });
  syncBuiltinESMExports();
}

/** The port to really connect to, or why nothing may be connected to. */
function aim(table: RedirectTable, options: ConnectOptions): { port?: number } | Error {
  const host = options.host ?? 'localhost';
  if (typeof options.path === 'string' || isLoopback(host)) return {};
  const port = String(options.port);
  if (isIP(host) !== 0) return refused(host, port);
  const entry = findRedirectHost(table, host);
  // A name outside the table goes on, to fail at its lookup as an unknown name does.
  if (!entry) return {};
  const to = entry.ports[port];
  return to === undefined ? refused(host, port) : { port: to };
}

function refused(host: string, port: string): Error {
  return Object.assign(
    new Error(`connect ECONNREFUSED ${host}:${port} (the embedded run reaches nothing outside, see local/redirect)`),
    { code: 'ECONNREFUSED', syscall: 'connect', address: host, port: Number(port) },
  );
}

/** `connect` takes options, a port and host, a path, or (from inside Node) those already normalised into an array. */
function readArguments(args: readonly unknown[]): {
  options: ConnectOptions;
  withOptions: (options: object) => unknown[];
} {
  const [first, ...rest] = args;
  if (Array.isArray(first)) {
    const normalised = first as [ConnectOptions, ...unknown[]];
    // The array carries a private mark of Node's: it is changed, not replaced.
    const withOptions = (options: object): unknown[] => {
      normalised[0] = options;
      return [normalised, ...rest];
    };
    return { options: normalised[0], withOptions };
  }
  if (typeof first === 'object' && first !== null) {
    return { options: first, withOptions: (options) => [options, ...rest] };
  }
  const callback = rest.filter((argument) => typeof argument === 'function');
  const named: ConnectOptions =
    typeof first === 'string' && Number.isNaN(Number(first))
      ? { path: first }
      : { port: Number(first), ...(typeof rest[0] === 'string' ? { host: rest[0] } : {}) };
  return { options: named, withOptions: (options) => [options, ...callback] };
}

/** `dns.resolve*` would ask a real resolver by itself. */
function refuseResolvers(): void {
  const refuse = (...args: unknown[]): void => {
    const callback = args.at(-1);
    const error = Object.assign(new Error('the embedded run asks no resolver'), { code: 'EREFUSED' });
    if (typeof callback === 'function') process.nextTick(callback, error);
  };
  const refuseByPromise = (): Promise<never> => Promise.reject(new Error('the embedded run asks no resolver'));
  const resolvers = (from: object): string[] => Object.keys(from).filter((name) => /^(resolve|reverse)/.test(name));
  for (const name of resolvers(dns)) Object.assign(dns, { [name]: refuse });
  for (const name of resolvers(dns.promises)) Object.assign(dns.promises, { [name]: refuseByPromise });
}
