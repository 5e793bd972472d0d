// A seed worker in whose product a bug is planted: it gets the texts of the modules that differ, and loads them in place of the files.
import { registerHooks } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { PatchedTexts } from './plant.ts';

const ROOT = new URL('../../', import.meta.url);
const texts = new Map([...(workerData as PatchedTexts)].map(([file, text]) => [new URL(file, ROOT).href, text]));

registerHooks({
  load: (url, context, nextLoad) => {
    const source = texts.get(url);
    return source === undefined ? nextLoad(url, context) : { format: 'module-typescript', source, shortCircuit: true };
  },
});
await import('./seed-worker.ts');
