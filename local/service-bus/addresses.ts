// The names of things on an AMQP connection: queues, their dead-letter queues, the management node of each.
// Pure. Entity names are compared without regard to case, as Service Bus does.

/** Where a link leads. `path` is the lower-case name that claims are kept under. */
type Address =
  | { readonly kind: 'cbs' }
  | {
      readonly kind: 'entity' | 'management';
      readonly path: string;
      readonly queue: string;
      readonly isDeadLetter: boolean;
    };

const DEAD_LETTER_SUFFIX = '/$deadletterqueue';
const MANAGEMENT_SUFFIX = '/$management';
const MAX_ADDRESS_LENGTH = 400;

export function parseAddress(text: unknown): Address | undefined {
  if (typeof text !== 'string' || text === '' || text.length > MAX_ADDRESS_LENGTH) return undefined;
  const path = pathIn(text.toLowerCase()).replace(/^\/+|\/+$/g, '');
  if (path === '$cbs') return { kind: 'cbs' };
  const isManagement = path.endsWith(MANAGEMENT_SUFFIX);
  const entity = isManagement ? path.slice(0, -MANAGEMENT_SUFFIX.length) : path;
  const isDeadLetter = entity.endsWith(DEAD_LETTER_SUFFIX);
  const queue = isDeadLetter ? entity.slice(0, -DEAD_LETTER_SUFFIX.length) : entity;
  if (queue === '') return undefined;
  return { kind: isManagement ? 'management' : 'entity', path, queue, isDeadLetter };
}

/** Python's SDK writes a link's address as a whole URI, `amqps://<namespace>/<entity>`. */
const pathIn = (text: string): string => /^(?:amqps?|sb):\/\/[^/]+(\/.*)?$/.exec(text)?.slice(1).join('') ?? text;

/** What a token is put for: `sb://<namespace>/<entity>`; undefined when it is no such thing. */
export function parseTokenAudience(text: unknown): { readonly host: string; readonly path: string } | undefined {
  if (typeof text !== 'string' || text.length > 2 * MAX_ADDRESS_LENGTH || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!['sb:', 'amqp:', 'amqps:', 'https:'].includes(url.protocol)) return undefined;
  return { host: url.hostname.toLowerCase(), path: url.pathname.toLowerCase().replace(/^\/+|\/+$/g, '') };
}

/** The name that the request log shows. */
export function displayName(queueName: string, isDeadLetter: boolean): string {
  return isDeadLetter ? `${queueName}/$DeadLetterQueue` : queueName;
}
