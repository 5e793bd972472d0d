// An agent that keeps connections alive, with a limit on idle ones over all hosts: each customer's vault is a host of its own, and thousands of idle
// connections would cost some 50 KB each, of which Azure allows an instance a limited number.
import type { Agent as HttpAgent, AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';

/** Idle connections of one agent. When one more becomes idle, the one that has been idle longest is closed. */
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

/** Node's own, which returns whether the connection is kept, though its types say `void`. */
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
