// `npm run build`: the deployable app in dist/.
import { buildApp } from './build-bundle.ts';

await buildApp();
