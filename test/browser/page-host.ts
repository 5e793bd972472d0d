// The app of pages in a Functions host of its own: what a browser gets has come the whole way.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startHost } from '../../local/functions-host/host-process.ts';
import { buildBundle } from '../../scripts/build-bundle.ts';

export interface PageHost {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  close(): Promise<void>;
}

export async function startPageHost(): Promise<PageHost> {
  const directory = await mkdtemp(join(tmpdir(), 'keyswitch-pages-'));
  const bundleDir = join(directory, 'dist');
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  await buildBundle({ entryPoint: here('page-app.ts'), hostJson: here('../../host.json'), outDir: bundleDir });
  const host = await startHost({ bundleDir, env: {} });
  return {
    url: host.url,
    close: async () => {
      await host.kill();
      await rm(directory, { recursive: true });
    },
  };
}
