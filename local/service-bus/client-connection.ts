// One client's connection: what its tokens allow, where its answers go, how to cut it. Holds nothing that outlives it.
import type { Connection, Message, Sender } from 'rhea';
import { Claims } from './claims.ts';
import { answerFlow, forget, socketOf } from './rhea-internals.ts';

interface Reply {
  readonly correlation_id: unknown;
  readonly application_properties: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export class ClientConnection {
  readonly claims = new Claims();
  readonly #connection: Connection;
  /** Links on which answers to requests go back, by the name that a request gives as `reply_to`. */
  readonly #replyLinks = new Map<string, Sender>();
  readonly #onClosed = new Set<() => void>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The namespace that the client believes to speak to. */
  get host(): string {
    return this.#connection.hostname?.replace(/:\d+$/, '').toLowerCase() ?? '';
  }

  addReplyLink(link: Sender): void {
    this.#replyLinks.set(link.name, link);
    link.on('sender_flow', () => answerFlow(link));
    link.once('sender_close', () => {
      if (this.#replyLinks.get(link.name) === link) this.#replyLinks.delete(link.name);
    });
  }

  /**
   * A client that names no open link for the answer gets none. Answers are sent settled: a client would acknowledge
   * others with a frame that nothing answers, and its next one would wait for the kernel's delayed acknowledgement.
   */
  reply(to: unknown, reply: Reply): void {
    const link = typeof to === 'string' ? this.#replyLinks.get(to) : undefined;
    if (link?.is_open() === true) forget(link.send(reply as Message));
  }

  /** Answers how to take it back: a client may open and close links on one connection for ever. */
  whenClosed(action: () => void): () => void {
    this.#onClosed.add(action);
    return () => this.#onClosed.delete(action);
  }

  /** To be called when the socket is gone, however that came about. */
  closed(): void {
    for (const action of this.#onClosed) action();
    this.#onClosed.clear();
    this.#replyLinks.clear();
  }

  /** Cuts the connection without a word, as a network would. With an error, so that rhea stops its timers. */
  cut(): void {
    socketOf(this.#connection).destroy(new Error('cut by a planted fault'));
  }
}
