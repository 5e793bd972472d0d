// What has happened, as far as the invariants need it; and the first invariant that was broken. Whoever checks writes here, since an
// exception would be caught by the very code that is being watched.
import type { KeyObject } from 'node:crypto';
import type { FailureCode } from '../../shared/domain/failure.ts';

/** The company keys that there are, by version, opened by the checkers themselves. */
export type CompanyKeys = Map<number, KeyObject>;

export class History {
  /** The first plaintext of each data key, in hex. It must never open to anything else. */
  readonly plaintexts = new Map<string, string>();
  /** Keys that a caller was told of. */
  readonly returned = new Set<string>();
  /** Keys that somebody has asked to be deleted. */
  readonly deleteAsked = new Set<string>();
  /** Rows that are not as Keyswitch wrote them. */
  readonly tampered = new Set<string>();
  readonly everTampered = new Set<string>();
  /** How often per partition the version of a row was tampered with, or put back: the counts cannot know. */
  readonly relabelled = new Map<string, number>();
  /** Which vault protects the keyring, from when on. */
  readonly inForce: { readonly host: string; readonly fromMs: number }[] = [];
  /** Codes that a vault was made to answer with. */
  readonly troubles = new Set<FailureCode>();
  /** When which vault denied every call. */
  readonly denials: { readonly host: string; readonly fromMs: number; toMs: number }[] = [];
  /** When which vault last let somebody unwrap. */
  readonly unwrappedMs = new Map<string, number>();
  /** When which vault was last listed as denying, for every process to read. */
  readonly listedMs = new Map<string, number>();
  /** Company keys that were unwrapped of late: what a vault can answer to another call. */
  readonly unwrapped: Uint8Array[] = [];
  readonly #now: () => string;
  failure: string | undefined;

  constructor(now: () => string) {
    this.#now = now;
  }

  /** Invariants are numbered as in design/3. */
  broken(invariant: string, what: string): void {
    this.failure ??= `${this.#now()}: invariant ${invariant}: ${what}`;
  }

  /** Whether every vault that was in force in that time denied throughout. One that answers again in the last millisecond did not. */
  deniedThroughout(fromMs: number, toMs: number): boolean {
    return this.#hostsInForce(fromMs, toMs).every((host) =>
      this.denials.some((denial) => denial.host === host && denial.fromMs <= fromMs && denial.toMs > toMs),
    );
  }

  /**
   * Whether every vault that was in force in that time was listed as denying before it began, and has let nobody unwrap since: then no process has
   * anything to answer with, also one that cannot reach the vault.
   */
  listedThroughout(fromMs: number, toMs: number): boolean {
    return this.#hostsInForce(fromMs, toMs).every((host) => {
      const listedMs = this.listedMs.get(host) ?? Infinity;
      return listedMs < fromMs && (this.unwrappedMs.get(host) ?? 0) < listedMs;
    });
  }

  /** Whether no vault that was in force in that time has let anybody unwrap since it began. */
  closedThroughout(fromMs: number, toMs: number): boolean {
    return this.#hostsInForce(fromMs, toMs).every((host) => (this.unwrappedMs.get(host) ?? 0) < fromMs);
  }

  /** Whether this vault denied every call from before `fromMs` to now. */
  deniesSince(host: string, fromMs: number, nowMs: number): boolean {
    return this.denials.some((denial) => denial.host === host && denial.fromMs < fromMs && denial.toMs > nowMs);
  }

  everInForce(host: string): boolean {
    return this.inForce.some((one) => one.host === host);
  }

  #hostsInForce(fromMs: number, toMs: number): string[] {
    return this.inForce.flatMap(({ host, fromMs: beganMs }, index) => {
      const endedMs = this.inForce[index + 1]?.fromMs ?? Infinity;
      return beganMs <= toMs && endedMs >= fromMs ? [host] : [];
    });
  }
}
