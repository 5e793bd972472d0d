// Makes a folder that somebody has named, or says in one sentence why it cannot be had. Node's own way of making all folders of a path asks
// for ever where the system makes none, below /proc for example.
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../scripts/command-line.ts';

/** `option` is what named it. Throws UsageError. */
export function makeFolder(path: string, option: string): void {
  const refuse = (why: string): never => {
    throw new UsageError(`${option} takes a folder that can be written to, and ${path} is none (${why})`);
  };
  try {
    make(resolve(path), refuse);
    accessSync(path, constants.W_OK);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    refuse(error instanceof Error && 'code' in error ? String(error.code) : String(error));
  }
}

function make(path: string, refuse: (why: string) => never): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  if (found) refuse(`${path} is a file`);
  make(dirname(path), refuse);
  mkdirSync(path);
}
