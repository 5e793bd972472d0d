// What the front of the table emulator does to an answer on its way out: looks at its status, or throws it away.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FaultEffect } from '../control/control.ts';
import { overlay, stallIn } from '../http/fault-body.ts';

/**
 * Calls `done` once with the status answered; 0 when the connection was cut instead. A batch answers 202 even when it
 * fails, so of a batch the status of the change that failed counts.
 */
export function watchStatus(
  request: IncomingMessage,
  response: ServerResponse,
  operation: string,
  done: (status: number) => void,
): void {
  let failed: number | undefined;
  if (operation === 'batch') {
    onOutput(response, (piece) => {
      const status = /^HTTP\/1\.1 ([45]\d\d)/m.exec(piece.toString('latin1'))?.[1];
      if (status !== undefined) failed ??= Number(status);
    });
  }
  let answered = false;
  // Not `finish`: a client that has its answer may look at the log before this side has flushed.
  onEnd(response, () => {
    if (!answered) done(failed ?? response.statusCode);
    answered = true;
  });
  request.socket.once('close', cut);
  response.once('close', () => request.socket.off('close', cut));

  function cut(): void {
    if (!answered) done(0);
    answered = true;
  }
}

/** Lets the service act and then cuts the connection where its answer would go out. */
export function cutInsteadOfAnswering(response: ServerResponse): void {
  const cut = (): ServerResponse => {
    response.socket?.destroy();
    return response;
  };
  Object.assign(response, { write: () => true, end: cut });
}

/** A true answer, whole, before any of it goes out. */
export interface HeldAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export const changesAnswer = ({ stall, mergeBody, headers }: FaultEffect): boolean =>
  stall !== undefined || mergeBody !== undefined || headers !== undefined;

/** Lets the service act, and has `send` answer in its place. */
export function holdBack(response: ServerResponse, send: (answer: HeldAnswer) => void): void {
  const pieces: Buffer[] = [];
  const originals = { write: response.write.bind(response), end: response.end.bind(response) };
  const keep = (piece: unknown): void => {
    if (typeof piece === 'string') pieces.push(Buffer.from(piece));
    else if (piece instanceof Uint8Array) pieces.push(Buffer.from(piece));
  };
  Object.assign(response, {
    write: (piece: unknown) => {
      keep(piece);
      return true;
    },
    end: (piece: unknown) => {
      keep(piece);
      Object.assign(response, originals);
      const headers = Object.fromEntries(
        Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]),
      );
      send({ status: response.statusCode, headers, text: Buffer.concat(pieces).toString('utf8') });
      return response;
    },
  });
}

/** Half of it and nothing more, or another than it was. What is no JSON, as a batch is, stays. */
export function sendChanged(effect: FaultEffect, response: ServerResponse, answer: HeldAnswer): void {
  const { status } = answer;
  const headers = { ...answer.headers, ...effect.headers };
  const isJson = (headers['content-type'] ?? '').includes('json') && answer.text !== '';
  const text =
    effect.mergeBody !== undefined && isJson
      ? JSON.stringify(overlay(JSON.parse(answer.text), effect.mergeBody))
      : answer.text;
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  delete headers['content-length'];
  delete headers['transfer-encoding'];
  if (effect.stall !== undefined) {
    stallIn(effect.stall, response, { status, headers, text });
    return;
  }
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(text) }) });
  response.end(text);
}

function onOutput(response: ServerResponse, look: (piece: Buffer) => void): void {
  for (const method of ['write', 'end'] as const) {
    const original = Reflect.get(response, method) as (...args: unknown[]) => unknown;
    Object.assign(response, {
      [method]: (...args: unknown[]) => {
        const [piece] = args;
        if (typeof piece === 'string') look(Buffer.from(piece));
        else if (piece instanceof Uint8Array) look(Buffer.from(piece));
        return original.apply(response, args);
      },
    });
  }
}

/** Calls `ended` before the last of an answer goes out. */
export function onEnd(response: ServerResponse, ended: () => void): void {
  const end = Reflect.get(response, 'end') as (...args: unknown[]) => unknown;
  Object.assign(response, {
    end: (...args: unknown[]) => {
      ended();
      return end.apply(response, args);
    },
  });
}
