// For `node --import`: installs the redirect whose table stands in the environment, before anything else is loaded.
import { installRedirect } from './install-redirect.ts';
import { REDIRECT_VARIABLE, type RedirectTable } from './redirect-table.ts';

const json = process.env[REDIRECT_VARIABLE];
if (json === undefined) throw new Error(`${REDIRECT_VARIABLE} is not set`);
installRedirect(JSON.parse(json) as RedirectTable);
