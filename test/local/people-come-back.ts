// An application for the tests of sign-in emulators: people come back to it, and what they bring can be read.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import type { Browser } from '../../local/browser/browser.ts';

interface Application {
  readonly redirectUri: string;
  /** The parameters that the person in front of this browser has come back with. */
  told(browser: Browser): Record<string, string>;
  close(): Promise<void>;
}

export async function startApplication(): Promise<Application> {
  const server = createServer((_, response) => response.end('back'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  return {
    redirectUri,
    told: ({ page }) => {
      expect(page.url.startsWith(`${redirectUri}?`)).toBe(true);
      return Object.fromEntries(new URL(page.url).searchParams);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Parameters that are undefined are left out. */
export function withQuery(address: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

export function formOf(fields: Readonly<Record<string, string | undefined>>): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  return form;
}
