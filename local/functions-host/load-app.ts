// Loads an app's entry point as the Functions worker does: with `@azure/functions-core` provided through `require`.
import { existsSync, readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

type Require = (this: unknown, id: string) => unknown;

/** Everything wrong with the directory or the entry point is thrown. */
export async function loadApp(bundleDir: string, coreApi: object): Promise<void> {
  provideCoreApi(coreApi);
  const manifestFile = join(bundleDir, 'package.json');
  if (!existsSync(manifestFile)) throw new Error(`there is no package.json in ${bundleDir}`);
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as { main?: string; type?: string };
  if (manifest.main === undefined) throw new Error('package.json names no "main"');
  const entry = resolve(bundleDir, manifest.main);
  if (manifest.type === 'module' || entry.endsWith('.mjs')) await import(pathToFileURL(entry).href);
  else createRequire(manifestFile)(entry);
}

function provideCoreApi(coreApi: object): void {
  const original = Reflect.get(Module.prototype, 'require') as Require;
  Object.assign(Module.prototype, {
    require(this: unknown, id: string): unknown {
      return id === '@azure/functions-core' ? coreApi : original.call(this, id);
    },
  });
}
