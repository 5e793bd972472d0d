// `keyswitch`, the command line: its commands, and what becomes of a refusal. What it prints is passed in, so that tests run it in process.
import { Command, CommanderError } from 'commander';
import { addByok } from './commands/byok.ts';
import { Refused } from './refused.ts';
import type { Surroundings } from './surroundings.ts';

const DONE = 0;
const REFUSED = 1;
const NOT_UNDERSTOOD = 2;

/** Carries out one command line, without the program's name. Answers the exit code. */
export async function keyswitch(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { version, print, tell } = surroundings;
  const program = new Command('keyswitch')
    .description('Customer-managed keys for software vendors on Azure.')
    .version(version)
    .configureOutput({ writeOut: print, writeErr: tell })
    .exitOverride();
  addByok(program, surroundings);
  try {
    await program.parseAsync(args, { from: 'user' });
    return DONE;
  } catch (error) {
    // Commander has told it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : NOT_UNDERSTOOD;
    // Any other error may repeat what it stumbled over.
    tell(error instanceof Refused ? `${error.message}.\n` : `This is a fault of the program: ${nameOf(error)}.\n`);
    return REFUSED;
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'no Error';
}
