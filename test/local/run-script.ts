// Runs a script of local/ to its end, as npm would, and keeps what it printed.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Ended {
  readonly code: number | null;
  /** Both streams, as they came. */
  readonly text: string;
}

export async function runScript(name: string, args: readonly string[]): Promise<Ended> {
  const script = fileURLToPath(new URL(`../../local/${name}`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => parts.push(part));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, text: Buffer.concat(parts).toString() };
}
