// The few things a broker needs of rhea that rhea, written for clients, does not offer. The only file that reaches
// into its objects; everything here was checked against rhea 3.0.5 and says what would go wrong without it.
import rhea, { type Connection, type Delivery, type Receiver, type Sender, type Session } from 'rhea';
import type { Socket } from 'node:net';
import type { Failure } from './failures.ts';

interface LinkInternals {
  credit: number;
  delivery_count: number;
  issue_flow: boolean;
  _draining?: boolean;
  _get_drain: () => boolean;
  readonly local: { readonly attach: { snd_settle_mode?: number; rcv_settle_mode?: number } };
  readonly connection: { _register(): void };
}

interface ConnectionInternals {
  registered: boolean;
  _register(): void;
}

interface DeliveryInternals {
  settled: boolean;
  remote_settled: boolean;
}

export type OutcomeName = 'accepted' | 'rejected' | 'released' | 'modified';
type OutcomeFactory = Readonly<Record<OutcomeName, (fields: object) => { described(): unknown }>>;

const outcomes = rhea.message as unknown as OutcomeFactory;

/** With all three fields, as Service Bus sends it: Python's SDK fails on a shorter one. */
export const errorOf = ({
  condition,
  description,
}: Failure): { condition: string; description: string; info: object } => ({
  condition,
  description,
  info: {},
});

function internalsOf(link: Sender | Receiver): LinkInternals {
  return link as unknown as LinkInternals;
}

/**
 * Answers a client's credit at once. Its next small frame waits in Nagle's algorithm until this side acknowledges
 * the last one, and the kernel delays a bare acknowledgement by 40 ms.
 */
export function answerFlow(link: Sender): void {
  const internals = internalsOf(link);
  internals.issue_flow = true;
  internals.connection._register();
}

/**
 * Makes every flow sent while the client drains say that nothing is left. rhea does so only when credit was left
 * over; a drain that crosses the last message would never be answered and the client would close the link.
 */
export function answerDrains(link: Sender, onDrained: (credit: number) => void): void {
  const internals = internalsOf(link);
  internals._get_drain = () => {
    if (internals._draining !== true) return false;
    onDrained(internals.credit);
    internals.delivery_count += internals.credit;
    internals.credit = 0;
    return true;
  };
}

/** Credit the client has given and transfers already made, as rhea counts them: it counts when it writes, not when told to send. */
export function creditOf(link: Sender): { readonly credit: number; readonly transferred: number } {
  const { credit, delivery_count: transferred } = internalsOf(link);
  return { credit, transferred };
}

/** Agrees to the settle modes the client asked for. With sender-settled (receive and delete) rhea then settles each delivery itself. */
export function echoSettleModes(link: Sender): void {
  const { attach } = internalsOf(link).local;
  attach.snd_settle_mode = link.snd_settle_mode;
  attach.rcv_settle_mode = link.rcv_settle_mode;
}

/** Settles a delivery of ours with the outcome that the client asked for, or refuses to. */
export function settle(delivery: Delivery, asked: OutcomeName, failure?: Failure): void {
  const outcome = failure ? outcomes.rejected({ error: errorOf(failure) }) : outcomes[asked]({});
  delivery.update(true, outcome.described());
  forget(delivery);
}

/**
 * Lets rhea drop a delivery from its window of 2,048. Clients that settle second say nothing more once we settled,
 * and rhea would wait for that word for ever: after 2,048 messages nothing would be delivered any more.
 */
export function forget(delivery: Delivery): void {
  const internals = delivery as unknown as DeliveryInternals;
  internals.settled = true;
  internals.remote_settled = true;
}

interface Endpoint {
  _process?: () => void;
}

/**
 * Keeps rhea from answering an open, begin or attach, which it does by itself once the event has been handled.
 * What comes back lets it: at once, later, or never.
 */
export function withholdAnswer(endpoint: Connection | Session | Sender | Receiver): () => void {
  const connection = ('connection' in endpoint ? endpoint.connection : endpoint) as unknown as ConnectionInternals;
  const processed = endpoint as unknown as Endpoint;
  processed._process = () => {
    connection.registered = false;
  };
  return () => {
    delete processed._process;
    connection._register();
  };
}

export function socketOf(connection: Connection): Socket {
  return (connection as unknown as { readonly socket: Socket }).socket;
}
