// A parent for the orphan test: starts one host, says its pid, and waits to be killed.
import { startHost } from '../../../local/functions-host/host-process.ts';

const env = { FIXTURE_SCHEDULE: '0 0 0 1 1 *', FIXTURE_JOURNAL: '/dev/null' };
const host = await startHost({ bundleDir: process.argv[2] ?? '', env });
process.stdout.write(`${host.pid}\n`);
