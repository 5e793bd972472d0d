// `npm run build`: the deployable app in dist/.
import { fileURLToPath } from 'node:url';
import { buildBundle } from './build-bundle.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

await buildBundle({
  entryPoint: fromRoot('functions/main.ts'),
  hostJson: fromRoot('host.json'),
  outDir: fromRoot('dist'),
});
