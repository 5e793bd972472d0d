// What a host process and the process that started it say to each other, and the host's end of that link. When the
// link breaks, because the parent was killed, say, the host ends at once: nothing may be left behind.

export interface HostReady {
  readonly type: 'ready';
  readonly url: string;
  readonly functions: readonly string[];
}

export interface TimersMessage {
  readonly type: 'timers';
  readonly enabled: boolean;
}

export function connectToParent(onTimers: (enabled: boolean) => void): { ready(message: HostReady): void } {
  if (process.send) {
    process.on('disconnect', () => process.exit(1));
    process.on('message', (message: TimersMessage) => onTimers(message.enabled));
  } else {
    // Started by hand: standard input stands for the parent.
    process.stdin.on('end', () => process.exit(1)).resume();
  }
  return {
    ready: (message) => {
      if (process.send) process.send(message);
      else process.stdout.write(`${message.url}\n`);
    },
  };
}
