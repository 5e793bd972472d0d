// What the front of the table emulator does to an answer on its way out: looks at its status, or throws it away.
import type { IncomingMessage, ServerResponse } from 'node:http';

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
