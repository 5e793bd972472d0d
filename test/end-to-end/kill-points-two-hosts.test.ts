// Real kills at every named place, where two hosts handle many messages side by side: one dies, the other goes on.
import { killAtEveryPlace } from './kill-points/suite.ts';

killAtEveryPlace('several workers', { hosts: 2 });
