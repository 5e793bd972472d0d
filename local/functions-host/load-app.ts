// Loads an app's entry point as the Functions worker does: with `@azure/functions-core` provided through `require`.
import { existsSync, readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

type Require = (this: unknown, id: string) => unknown;

/**
 * The error that the entry point threw; undefined if it loaded. It is no error of the host's: Azure's runs on, without a function.
 * Everything wrong with the directory is thrown.
 */
export async function loadApp(bundleDir: string, coreApi: object): Promise<Error | undefined> {
  provideCoreApi(coreApi);
  const manifestFile = join(bundleDir, 'package.json');
  if (!existsSync(manifestFile)) throw new Error(`there is no package.json in ${bundleDir}`);
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as { main?: string; type?: string };
  if (manifest.main === undefined) throw new Error('package.json names no "main"');
  const entry = resolve(bundleDir, manifest.main);
  try {
    if (manifest.type === 'module' || entry.endsWith('.mjs')) await import(pathToFileURL(entry).href);
    else createRequire(manifestFile)(entry);
    return undefined;
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const stack = error.stack ?? error.message;
    error.message = `Worker was unable to load entry point "${manifest.main}": ${error.message}`;
    // V8 has written the stack with the message that was: that is what the worker prints.
    Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
    return error;
  }
}

function provideCoreApi(coreApi: object): void {
  const original = Reflect.get(Module.prototype, 'require') as Require;
  Object.assign(Module.prototype, {
    require(this: unknown, id: string): unknown {
      return id === '@azure/functions-core' ? coreApi : original.call(this, id);
    },
  });
}
