// Bodies that no well-behaved service sends: a true answer with fields laid over it, and filler without end.
import type { ServerResponse } from 'node:http';

const CHUNK_BYTES = 64 * 1024;

/** `over` laid over `base`, objects into objects; anything else is replaced. */
export function overlay(base: unknown, over: Readonly<Record<string, unknown>>): unknown {
  const result: Record<string, unknown> = isObject(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(over)) {
    result[name] = isObject(value) ? overlay(result[name], value) : value;
  }
  return result;
}

/** Sends `bytes` bytes of filler, or goes on for as long as the client listens when `bytes` is negative. */
export function sendFiller(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  bytes: number,
): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  let left = bytes < 0 ? Infinity : bytes;
  const pump = (): void => {
    while (left > 0) {
      const size = Math.min(left, CHUNK_BYTES);
      left -= size;
      // A full socket buffer: go on when it drains, so that an endless body costs no memory here.
      if (!response.write(Buffer.alloc(size, ' '))) {
        response.once('drain', pump);
        return;
      }
    }
    response.end();
  };
  pump();
}

/** Says the first part of an answer and nothing more, for as long as the client waits. */
export function stallIn(
  part: 'headers' | 'body',
  response: ServerResponse,
  { status, headers, text }: { status: number; headers: Readonly<Record<string, string>>; text: string },
): void {
  if (part === 'headers') {
    response.socket?.write(`HTTP/1.1 ${status} Told\r\nContent-Type: application/json\r\nX-Half: `);
    return;
  }
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) + 1 });
  response.write(text.slice(0, text.length / 2));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
