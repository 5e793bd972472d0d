// What a stand-in keeps from run to run: rows in a SQLite file of its own. A write is there whole or not at all, whatever ends the process;
// while the file is open nobody else can open it; only its owner can read it, since keys are in it.
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

interface StateRow {
  readonly kind: string;
  readonly key: string;
  readonly value: string;
}

/** Without a value the row goes. */
export type StateChange = Omit<StateRow, 'value'> & { readonly value?: string };

export const SQLITE_CORRUPT = 11;
const OWNER_ONLY = 0o600;
/** `NORMAL` beside a write-ahead log: the file stays whole also when the power goes; what was written last may then be missing. */
const SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS rows (kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
`;

export class StateFile {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;

  /** Throws SQLite's error with its `errcode`: 5 if another process has it open, 11 if it is damaged anywhere, 26 if it is something else. */
  constructor(path: string) {
    closeSync(openSync(path, 'a', OWNER_ONLY));
    this.#database = new DatabaseSync(path, { timeout: 0 });
    try {
      this.#database.exec(SETTINGS);
      // A lock is taken by writing only.
      this.#database.exec('BEGIN IMMEDIATE; COMMIT');
      // Reading it all finds what is damaged now, not at some call of the run.
      assertWhole(this.#database);
    } catch (error) {
      this.#database.close();
      throw error;
    }
    this.#put = this.#database.prepare('INSERT OR REPLACE INTO rows VALUES (?, ?, ?)');
    this.#remove = this.#database.prepare('DELETE FROM rows WHERE kind = ? AND key = ?');
  }

  value(kind: string, key: string): string | undefined {
    const found = this.#database.prepare('SELECT value FROM rows WHERE kind = ? AND key = ?').get(kind, key);
    return found && String(found['value']);
  }

  /** In order of their keys. */
  *rows(kind: string): Iterable<StateRow> {
    for (const { key, value } of this.#database
      .prepare('SELECT key, value FROM rows WHERE kind = ? ORDER BY key')
      .iterate(kind)) {
      yield { kind, key: String(key), value: String(value) };
    }
  }

  /** All of them or none. */
  write(changes: readonly StateChange[]): void {
    if (changes.length === 0) return;
    this.#database.exec('BEGIN');
    for (const { kind, key, value } of changes) {
      if (value === undefined) this.#remove.run(kind, key);
      else this.#put.run(kind, key, value);
    }
    this.#database.exec('COMMIT');
  }

  clear(kind: string): void {
    this.#database.prepare('DELETE FROM rows WHERE kind = ?').run(kind);
  }

  close(): void {
    this.#database.close();
  }
}

function assertWhole(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA quick_check(1)').get();
  const said = String(found && Object.values(found)[0]);
  if (said !== 'ok') throw Object.assign(new Error(said), { errcode: SQLITE_CORRUPT });
}
