// A queue message as the Functions host hands it over. Pure. The host parses JSON inside strings by itself, and its metadata
// too; what was sent as bytes arrives as bytes.

/** The body, as JSON if it is that, else as it came. */
export function bodyOf(message: unknown): unknown {
  const text = message instanceof Uint8Array ? Buffer.from(message).toString('utf8') : message;
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

type Metadata = Readonly<Record<string, unknown>> | undefined;

const MAX_TEXT_CHARS = 200;

/** A text of the metadata; a message id of digits arrives as a number. Any sender may have written it, so its length is bounded. */
function textOf(metadata: Metadata, name: string): string | undefined {
  const value = metadata?.[name];
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  return String(value).replace(/\p{C}/gu, ' ').slice(0, MAX_TEXT_CHARS);
}

export const messageIdOf = (metadata: Metadata): { readonly messageId?: string } => {
  const messageId = textOf(metadata, 'messageId');
  return messageId === undefined ? {} : { messageId };
};

/** Why Service Bus gave the message up, as it wrote it into the message's application properties. */
export function deadLetterReasonOf(metadata: Metadata): string {
  const properties = metadata?.['applicationProperties'] ?? metadata?.['userProperties'];
  const own = typeof properties === 'object' && properties !== null ? (properties as Metadata) : undefined;
  return textOf(metadata, 'deadLetterReason') ?? textOf(own, 'deadLetterReason') ?? 'unknown';
}
