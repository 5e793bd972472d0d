// Property tests draw from one seed, so that a run that passes today passes tomorrow. KEYSWITCH_TEST_SEED has them draw from another one, to
// look for what this one does not find: `KEYSWITCH_TEST_SEED=$RANDOM npm test -- test/fuzz`.
import { configureGlobal } from 'fast-check';

configureGlobal({ seed: Number(process.env['KEYSWITCH_TEST_SEED'] ?? 1) });
