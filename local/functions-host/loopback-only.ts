// Keeps the process on loopback: the library's HTTP proxy (`enableHttpStream`) listens on all interfaces unless it is told otherwise, and
// nothing tells it. In Azure the sandbox keeps callers away from it; here nothing would.
import { Server, type ListenOptions } from 'node:net';

const LOOPBACK = '127.0.0.1';
const ALLOWED = new Set([LOOPBACK, '::1', 'localhost']);

type Listen = (this: Server, ...parameters: unknown[]) => Server;

/** From now on a server that names no host listens on 127.0.0.1, and one that names another host throws. Tells each server that listens. */
export function listenOnLoopbackOnly(onListen: (server: Server) => void = () => undefined): void {
  const original = Reflect.get(Server.prototype, 'listen') as Listen;
  Object.assign(Server.prototype, {
    listen(this: Server, ...parameters: unknown[]): Server {
      onListen(this);
      return original.apply(this, onLoopback(parameters));
    },
  });
}

function onLoopback(parameters: readonly unknown[]): unknown[] {
  const [first, second] = parameters;
  const callbacks = parameters.filter((one) => typeof one === 'function');
  if (typeof first === 'object' && first !== null) {
    const options = first as ListenOptions;
    if (options.path !== undefined || 'fd' in options) return [...parameters];
    return [{ ...options, host: checked(options.host) }, ...callbacks];
  }
  if (typeof first === 'string' && !/^\d+$/.test(first)) return [...parameters];
  const port = typeof first === 'function' ? 0 : Number(first ?? 0);
  return [{ port, host: checked(typeof second === 'string' ? second : undefined) }, ...callbacks];
}

function checked(host: string | undefined): string {
  if (host === undefined) return LOOPBACK;
  if (!ALLOWED.has(host)) throw new Error(`nothing may listen on ${host} here`);
  return host;
}
