// Real kills at every named place, where one host handles one message at a time: nobody goes on until another host was started.
import { killAtEveryPlace } from './kill-points/suite.ts';

killAtEveryPlace('one worker', {
  hosts: 1,
  settings: { AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls: '1' },
});
