// A folder for the encrypted copies and the built app. Whoever makes it removes it; what a killed demo left behind is removed by
// the next one, which knows it by the process id in its name.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cannotWrite } from '../../scripts/cannot-write.ts';

const NAME = /^keyswitch-demo-(\d+)-/;

export function makeDirectory(): string {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid > 0 && !isAlive(pid)) removeIfOurs(join(tmpdir(), name));
  }
  return mkdtempSync(join(tmpdir(), `keyswitch-demo-${process.pid}-`));
}

/** Of another user it stays: it is in nobody's way. */
function removeIfOurs(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (cannotWrite(error) === undefined) throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Anything else means that it is there, and somebody else's.
    return (error as { code?: unknown }).code !== 'ESRCH';
  }
}
