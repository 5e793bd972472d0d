// A real browser for tests: Chromium of this machine, by Playwright. It can be told that names of the internet are emulators on
// this machine; everything else that it might look up in the background is turned off. Without a browser, tests are skipped.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { chromium, type Browser } from 'playwright-core';
import { describe } from 'vitest';

const told = process.env['CHROMIUM_PATH'];
const places =
  told === undefined ? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'] : [told];
const executablePath = places.find((path) => existsSync(path));

const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const describeInBrowser = describe.skipIf(executablePath === undefined);

export interface Emulated {
  /** Ports of 127.0.0.1 by the names that the browser believes it talks to, over https. */
  readonly ports: Readonly<Record<string, number>>;
  /** Whose certificates they have. */
  readonly caPem: string;
}

/** Close it. Profiles are Playwright's own, empty and gone afterwards. */
export async function openChromium(emulated?: Emulated): Promise<Browser> {
  if (executablePath === undefined) throw new Error('there is no Chromium');
  const args = emulated ? [...QUIET, ...(await emulatedNames(emulated))] : QUIET;
  // Chromium refuses its own sandbox to root.
  return chromium.launch({ executablePath, args, chromiumSandbox: process.getuid?.() !== 0 });
}

/** Certificates are checked as ever, but for these very keys, which the given authority vouches for. */
async function emulatedNames({ ports, caPem }: Emulated): Promise<string[]> {
  const rules = Object.entries(ports).map(([name, port]) => `MAP ${name}:443 127.0.0.1:${port}`);
  const keys = await Promise.all(Object.entries(ports).map(([name, port]) => keyHash(name, port, caPem)));
  return [`--host-resolver-rules=${rules.join(',')}`, `--ignore-certificate-errors-spki-list=${keys.join(',')}`];
}

async function keyHash(name: string, port: number, caPem: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername: name, ca: caPem });
  try {
    await once(socket, 'secureConnect');
    const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
    if (!key) throw new Error(`${name} has no certificate`);
    return createHash('sha256').update(key).digest('base64');
  } finally {
    socket.destroy();
  }
}
