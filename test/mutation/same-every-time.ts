// Property tests draw from one seed while mutants are tested, so that a mutant which survives today survives tomorrow.
import { configureGlobal } from 'fast-check';

configureGlobal({ seed: 1 });
