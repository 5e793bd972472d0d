// The demo as it is started from a shell, with a folder of its own for what it leaves behind.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive } from '../functions-host/fixture.ts';

const DEMO = fileURLToPath(new URL('../../../local/demo/main.ts', import.meta.url));
/** Five times what it takes, for a machine that has a lot else to do. */
export const A_DEMO_MS = 300_000;

export interface Demo {
  readonly process: ChildProcess;
  /** Everything written so far. */
  text(): string;
  readonly ended: Promise<number | null>;
  /** What a demo that went well has left: nothing said to be wrong, no colours off a terminal, no files, no host alive. */
  traces(): Promise<{
    readonly failures: number;
    readonly escapes: number;
    readonly files: readonly string[];
    readonly processes: readonly boolean[];
  }>;
}

export class DemoFolder {
  readonly path: string;
  #process: ChildProcess | undefined;

  private constructor(path: string) {
    this.path = path;
  }

  /** With three small files below `files`. */
  static async make(): Promise<DemoFolder> {
    const path = await mkdtemp(join(tmpdir(), 'keyswitch-demo-test-'));
    await mkdir(join(path, 'temp'));
    await mkdir(join(path, 'files', 'below'), { recursive: true });
    await writeFile(join(path, 'files', 'empty'), '');
    await writeFile(join(path, 'files', 'large'), 'keyswitch '.repeat(10_000));
    await writeFile(join(path, 'files', 'below', 'small'), 'x');
    return new DemoFolder(path);
  }

  start(...args: readonly string[]): Demo {
    const child = spawn(process.execPath, [DEMO, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: join(this.path, 'temp') },
    });
    this.#process = child;
    const parts: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => parts.push(part));
    const text = (): string => Buffer.concat(parts).toString();
    return {
      process: child,
      text,
      traces: async () => ({
        failures: text().split('✗').length - 1,
        escapes: text().split('\u001b').length - 1,
        files: await this.left(),
        processes: pidsIn(text().replace(/\s+/g, ' ')).map(isAlive),
      }),
      ended: new Promise((resolve) => child.once('close', resolve)),
    };
  }

  /** What demos have left where they keep their files. */
  left(): Promise<string[]> {
    return readdir(join(this.path, 'temp'));
  }

  async remove(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await rm(this.path, { recursive: true });
  }
}

/** The text without its line breaks: where a line is wrapped does not matter. */
export const flowing = (demo: Demo): string => demo.text().replace(/\s+/g, ' ');

/** The last lines, without what they took: one for each part, and the verdict. */
export function endingOf(demo: Demo, parts: number): string[] {
  const lines = demo
    .text()
    .split('\n')
    .filter((line) => line !== '');
  return lines.slice(-parts - 1).map((line) => line.trim().replace(/ \([0-9.]+ s\)$| The demo took [0-9.]+ s\.$/, ''));
}

export function pidsIn(text: string): number[] {
  const [, first, second] = /\(pid (\d+) and (\d+)\)/.exec(text) ?? [];
  return [first, second].flatMap((pid) => (pid === undefined ? [] : [Number(pid)]));
}
