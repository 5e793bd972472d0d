// Runs the recovery to its end as a machine would that has nothing but Node: an empty environment, and a network that ends the process with a
// status of its own when it is touched.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Recovered {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TOUCHED_THE_NETWORK = 99;
const NO_NETWORK = `
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
const touched = () => process.exit(${TOUCHED_THE_NETWORK});
net.Socket.prototype.connect = touched;
net.Server.prototype.listen = touched;
dgram.createSocket = touched;
dgram.Socket.prototype.send = touched;
for (const module of [dns, dns.promises]) for (const name of Object.keys(module)) if (/^(lookup|resolve)/.test(name)) module[name] = touched;
syncBuiltinESMExports();
`;

interface Where {
  readonly cwd: string;
  /** The recovery as one file, in place of the project's own. */
  readonly script?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const OWN = fileURLToPath(new URL('../../scripts/recover.ts', import.meta.url));

export async function runRecover(args: readonly string[], { cwd, script = OWN, env = {} }: Where): Promise<Recovered> {
  const preload = `data:text/javascript,${encodeURIComponent(NO_NETWORK)}`;
  const child = spawn(process.execPath, ['--import', preload, script, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (part: Buffer) => out.push(part));
  child.stderr.on('data', (part: Buffer) => err.push(part));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}
