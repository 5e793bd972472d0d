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
      const sizeBytes = await sizeOf(path);
      if (sizeBytes !== undefined) found.push({ path: relative(folder, path), sizeBytes });
      if (found.length > MAX_FILES) throw new Error(`${folder} holds more than ${MAX_FILES} files`);
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Nothing for a file that has just gone, or whose name is not UTF-8 and so cannot be said. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}
