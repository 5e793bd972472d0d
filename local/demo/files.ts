// The files of a folder, in a fixed order, without what is made from others or fetched. Reads names and sizes only.
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

export interface FoundFile {
  /** Relative to the folder. */
  readonly path: string;
  readonly sizeBytes: number;
}

const LEFT_OUT: readonly string[] = ['node_modules', 'dist', '.git', '.local', 'coverage'];
const MAX_FILES = 200_000;

export async function findFiles(folder: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  const directories = [folder];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (LEFT_OUT.includes(entry.name)) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) directories.push(path);
      // Links, sockets and devices are no files of this folder.
      if (!entry.isFile()) continue;
      found.push({ path: relative(folder, path), sizeBytes: (await stat(path)).size });
      if (found.length > MAX_FILES) throw new Error(`${folder} holds more than ${MAX_FILES} files`);
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
