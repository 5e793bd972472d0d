// An agent that keeps connections, with a limit on idle ones over all services together: each customer's vault is a host of its own, and a process
// that has met thousands of them would keep a connection to each. One costs it some 50 KB, and Azure gives an instance a limited number.
import type { Agent as HttpAgent, AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';

/** Of one agent. When one more becomes idle, the connection that has been idle for longest is closed. */
class IdleConnections {
  readonly #most: number;
  /** The oldest first. */
  readonly #idle = new Set<Duplex>();
  readonly #seen = new WeakSet<Duplex>();

  constructor(most: number) {
    this.#most = most;
  }

  add(connection: Duplex): void {
    this.#idle.add(connection);
    if (!this.#seen.has(connection)) connection.once('close', () => this.#idle.delete(connection));
    this.#seen.add(connection);
    const [oldest] = this.#idle;
    if (this.#idle.size > this.#most) oldest?.destroy();
  }

  delete(connection: Duplex): void {
    this.#idle.delete(connection);
  }
}

interface KeptConnectionsOptions extends AgentOptions {
  /** Over all services. */
  readonly maxIdle: number;
}

/** Node's own, which answers whether the connection is kept; its types say `void`. */
const keepSocketAlive = Reflect.get(HttpsAgent.prototype, 'keepSocketAlive') as (
  this: HttpsAgent,
  socket: Duplex,
) => boolean;

export class KeptHttpsConnections extends HttpsAgent {
  readonly #idle: IdleConnections;

  constructor({ maxIdle, ...options }: KeptConnectionsOptions) {
    super({ ...options, keepAlive: true });
    this.#idle = new IdleConnections(maxIdle);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const isKept = keepSocketAlive.call(this, socket);
    if (isKept) this.#idle.add(socket);
    return isKept;
  }

  override reuseSocket(...args: Parameters<HttpAgent['reuseSocket']>): void {
    this.#idle.delete(args[0]);
    super.reuseSocket(...args);
  }
}
