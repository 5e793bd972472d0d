// `node reprotect-null-child.ts COUNT`: re-protects so many data keys in this process and prints what it took, as JSON.
import { peakMemoryMb } from './harness/fresh-process.ts';
import { keepHeapSmall } from '../shared/adapters/system.ts';
import { reprotectNull } from './null-runs.ts';

// As the app itself does at its start.
keepHeapSmall();

const run = await reprotectNull(Number(process.argv[2]));
console.log(JSON.stringify({ ...run, peakMb: peakMemoryMb() }));
