// Which files changed, as git says: everything that differs from where this branch left its main, committed or not, new files too.
import { execFileSync } from 'node:child_process';

export interface Changes {
  /** The commit, abbreviated, that the files are compared with. */
  readonly base: string;
  /** Relative to the root. */
  readonly files: readonly string[];
}

type Git = (...parts: readonly string[]) => string;

/**
 * Against the merge base with `ref`; without one, with the main that this branch came from. On a main with nothing new that is its
 * last commit.
 */
export function changedFiles({ root, ref }: { readonly root: string; readonly ref?: string | undefined }): Changes {
  const git: Git = (...parts) =>
    execFileSync('git', ['-C', root, ...parts], { encoding: 'utf8', stdio: 'pipe' }).trim();
  const main = ref ?? ['origin/main', 'main'].find((name) => isCommit(git, name)) ?? 'HEAD';
  const changes = since(git, git('merge-base', 'HEAD', main));
  const isNothingNew = ref === undefined && changes.files.length === 0;
  return isNothingNew && isCommit(git, 'HEAD^') ? since(git, 'HEAD^') : changes;
}

function isCommit(git: Git, name: string): boolean {
  try {
    git('rev-parse', '--verify', '--quiet', `${name}^{commit}`);
    return true;
  } catch {
    return false;
  }
}

function since(git: Git, commit: string): Changes {
  const changed = git('diff', '--name-only', '--diff-filter=d', commit);
  const untracked = git('ls-files', '--others', '--exclude-standard');
  const files = [changed, untracked].flatMap((names) => names.split('\n')).filter((name) => name !== '');
  return { base: git('rev-parse', '--short', commit), files };
}
