// One client's connection: what its tokens allow, where its answers go, how to cut it. Holds nothing that outlives it.
import type { Connection, Message, Sender } from 'rhea';
import { Claims } from './claims.ts';
import { answerFlow, forget, socketOf } from './rhea-internals.ts';

interface Reply {
  readonly correlation_id: unknown;
  readonly application_properties: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

interface ReplyLink {
  readonly link: Sender;
  readonly node: string;
  readonly address: unknown;
}

export class ClientConnection {
  readonly claims = new Claims();
  readonly #connection: Connection;
  /** Links on which answers to requests go back. A request names one as `reply_to`: by its name, or by its target's address. */
  readonly #replyLinks = new Map<string, ReplyLink>();
  readonly #onClosed = new Set<() => void>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The namespace that the client believes to speak to. */
  get host(): string {
    return this.#connection.hostname?.replace(/:\d+$/, '').toLowerCase() ?? '';
  }

  /** `node` is what the link receives from: `$cbs`, or the management node of an entity. */
  addReplyLink(link: Sender, node: string): void {
    const { target } = link as { readonly target?: { readonly address?: unknown } };
    this.#replyLinks.set(link.name, { link, node, address: target?.address });
    link.on('sender_flow', () => answerFlow(link));
    link.once('sender_close', () => {
      if (this.#replyLinks.get(link.name)?.link === link) this.#replyLinks.delete(link.name);
    });
  }

  /**
   * A client that names no link for the answer gets it on the one that it has at the same node, as from Service Bus: Python's SDK
   * names none. One that names a link which is not there gets none. Answers are sent settled: a client would acknowledge
   * others with a frame that nothing answers, and its next one would wait for the kernel's delayed acknowledgement.
   */
  reply(to: unknown, node: string, reply: Reply): void {
    const links = [...this.#replyLinks.values()];
    const found =
      typeof to === 'string' && to !== ''
        ? links.find(({ link, address }) => link.name === to || address === to)
        : links.findLast((candidate) => candidate.node === node);
    if (found?.link.is_open() === true) forget(found.link.send(reply as Message));
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
