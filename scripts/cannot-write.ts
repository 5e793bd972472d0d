// Errors of the file system that a person can set right, in one sentence: a folder of somebody else, a full disk, a file where a folder
// belongs. Anything else is a fault of ours. Pure.

const THEIRS: Readonly<Record<string, string>> = {
  EACCES: 'cannot be written',
  EPERM: 'cannot be written',
  EROFS: 'cannot be written',
  ENOSPC: 'cannot be written',
  EEXIST: 'is no folder',
  ENOTDIR: 'is no folder',
  EISDIR: 'is a folder',
  ERR_FS_EISDIR: 'is a folder',
  ENOENT: 'is not there',
};

/** Undefined if it is none of those. */
export function cannotWrite(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('path' in error)) return undefined;
  const { code, path } = error;
  if (typeof code !== 'string' || typeof path !== 'string') return undefined;
  const why = THEIRS[code];
  return why === undefined ? undefined : `${path} ${why} (${code})`;
}
