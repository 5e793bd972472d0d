// Orders to die, in a directory that a test shares with its hosts: one file for each. A host that reaches the place it names takes the
// order by renaming the file, which only one can do, and kills itself; so each is carried out once, and the test sees that it was.
// The same rename shuts the gate: from then on no other host sends or writes for a switch until the test opens it again, however fast
// they are and however slow the test is to see that somebody died.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../../../local/control/control.ts';
import type { WriteOutcome } from '../../../shared/store/tables.ts';
import type { Place } from '../../fixtures/places-to-die.ts';

/** The app setting by which hosts learn of the directory. */
export const ORDERS_SETTING = 'KILL_ORDERS_DIRECTORY';

export interface KillOrder {
  readonly place: Place;
  readonly switchId: string;
  /** Of the way that is meant. */
  readonly generation: number;
  /** At a write of a pass: the shard that is meant, any if undefined, and how many of its rows the pass must have behind it. */
  readonly shard?: number;
  readonly leastBehind?: number;
  /** What must happen on the line to the tables as the place is reached, and where that is told. */
  readonly line?: { readonly url: string; readonly fault: Fault };
}

export interface NamedOrder {
  readonly name: string;
  readonly order: KillOrder;
}

/** Where a process is in its work. */
export interface Whereabouts {
  readonly switchId: string;
  /** Undefined for who orders a switch: that is for no other way than the one that it begins. */
  readonly generation: number | undefined;
  /** At a write of a pass. */
  readonly pass?: PassStand;
}

export interface PassStand {
  readonly shard: number;
  /** Rows that are where they are moved to, or, in the second pass, opened anew: before this write. */
  readonly behind: number;
  /** Whether the shard is done with this write. */
  readonly isLast: boolean;
}

/** What a process says as it dies. */
export interface Remark {
  /** Of the pass, if it died in one. */
  readonly shard?: number;
  readonly severed?: SeveredWrite;
}

/** What came of a transaction on a broken line, as its sender saw it; one of its rows, and who would have written it. */
export interface SeveredWrite {
  readonly outcome: WriteOutcome['outcome'];
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly writtenBy: string;
}

const WAITING = '.order';
const TAKEN = '.taken';
/** A taken order whose gate was opened again. */
const OVER = '.over';
const REMARK = '.remark';
const LOOK_MS = 20;

export class KillOrders {
  readonly #directory: string;
  /** This process is the one to die, and need not wait for itself. */
  #isDoomed = false;
  #given = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** One at a time. Answers its name. */
  give(order: KillOrder): string {
    this.#given += 1;
    const name = String(this.#given);
    writeFileSync(this.#path(name, '.draft'), JSON.stringify(order));
    renameSync(this.#path(name, '.draft'), this.#path(name, WAITING));
    return name;
  }

  /** Whatever nobody has taken. */
  takeBack(): void {
    for (const name of this.#names(WAITING)) rmSync(this.#path(name, WAITING), { force: true });
  }

  wasTaken(name: string): boolean {
    return this.#names(TAKEN).includes(name);
  }

  remarkOf(name: string): Remark {
    return JSON.parse(readFileSync(this.#path(name, REMARK), 'utf8')) as Remark;
  }

  openGate(): void {
    for (const name of this.#names(TAKEN)) renameSync(this.#path(name, TAKEN), this.#path(name, OVER));
  }

  /** Waits while the gate is shut. */
  async pass(): Promise<void> {
    while (!this.#isDoomed && this.#names(TAKEN).length > 0) await delay(LOOK_MS);
  }

  /** Whether somebody is to die at this place. */
  isAwaited(place: Place): boolean {
    return this.#waiting()?.order.place === place;
  }

  /** The order that names this place and work, if there is one. */
  find(place: Place, at: Whereabouts): NamedOrder | undefined {
    const waiting = this.#waiting();
    if (waiting?.order.place !== place || waiting.order.switchId !== at.switchId) return undefined;
    const { generation } = at;
    if (generation !== undefined && generation !== waiting.order.generation) return undefined;
    return isFarEnough(waiting.order, at.pass) ? waiting : undefined;
  }

  /** False if another process was faster. */
  take(name: string): boolean {
    try {
      renameSync(this.#path(name, WAITING), this.#path(name, TAKEN));
      this.#isDoomed = true;
      return true;
    } catch {
      return false;
    }
  }

  /** Does not return. Whoever calls it has taken the order. */
  carryOut(name: string, remark: Remark = {}): void {
    writeFileSync(this.#path(name, REMARK), JSON.stringify(remark));
    process.kill(process.pid, 'SIGKILL');
  }

  #waiting(): NamedOrder | undefined {
    const [name] = this.#names(WAITING);
    const text = name === undefined ? undefined : this.#read(name);
    return name === undefined || text === undefined ? undefined : { name, order: JSON.parse(text) as KillOrder };
  }

  #names(ending: string): string[] {
    return readdirSync(this.#directory)
      .filter((file) => file.endsWith(ending))
      .map((file) => file.slice(0, -ending.length));
  }

  /** Another process may take it between the look into the directory and this. */
  #read(name: string): string | undefined {
    try {
      return readFileSync(this.#path(name, WAITING), 'utf8');
    } catch {
      return undefined;
    }
  }

  #path(name: string, ending: string): string {
    return join(this.#directory, `${name}${ending}`);
  }
}

/** What is not said of a pass is not asked of it. The last write of a shard is no place: nothing would keep the others from the end. */
function isFarEnough(order: KillOrder, pass: PassStand | undefined): boolean {
  if (!pass) return true;
  const { shard = pass.shard, leastBehind = 0 } = order;
  return shard === pass.shard && pass.behind >= leastBehind && !pass.isLast;
}
