// Orders to die, in a directory that a test shares with its hosts: one file for each. A host that reaches the place it names takes the
// order by renaming the file, which only one can do, and kills itself; so each is carried out once, and the test sees that it was.
// Everything is synchronous: nothing else of the process goes on between the place and its end.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../../../local/control/control.ts';
import type { Place } from '../../fixtures/places-to-die.ts';

/** The app setting by which hosts learn of the directory. */
export const ORDERS_SETTING = 'KILL_ORDERS_DIRECTORY';

export interface KillOrder {
  readonly place: Place;
  readonly switchId: string;
  /** Of the way that is meant. */
  readonly generation: number;
  /** 1: as soon as it is reached; else so often by one process. */
  readonly times: number;
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
}

const WAITING = '.order';
const TAKEN = '.taken';
const REMARK = '.remark';

export class KillOrders {
  readonly #directory: string;
  readonly #passed = new Map<string, number>();
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
    for (const file of readdirSync(this.#directory)) {
      if (file.endsWith(WAITING)) rmSync(join(this.#directory, file), { force: true });
    }
  }

  wasTaken(name: string): boolean {
    return readdirSync(this.#directory).includes(`${name}${TAKEN}`);
  }

  /** What the process said as it died. */
  remarkOf(name: string): unknown {
    return JSON.parse(readFileSync(this.#path(name, REMARK), 'utf8'));
  }

  /** The order that names this place and work, if there is one and its time has come. To be asked once each time it is reached. */
  find(place: Place, { switchId, generation }: Whereabouts): NamedOrder | undefined {
    const file = readdirSync(this.#directory).find((entry) => entry.endsWith(WAITING));
    if (file === undefined) return undefined;
    const name = file.slice(0, -WAITING.length);
    const text = this.#read(name);
    const order = text === undefined ? undefined : (JSON.parse(text) as KillOrder);
    if (order?.place !== place || order.switchId !== switchId) return undefined;
    if (generation !== undefined && generation !== order.generation) return undefined;
    const times = (this.#passed.get(name) ?? 0) + 1;
    this.#passed.set(name, times);
    return times < order.times ? undefined : { name, order };
  }

  /** False if another process was faster. */
  take(name: string): boolean {
    try {
      renameSync(this.#path(name, WAITING), this.#path(name, TAKEN));
      return true;
    } catch {
      return false;
    }
  }

  /** Does not return. Whoever calls it has taken the order. */
  carryOut(name: string, remark: unknown = null): void {
    writeFileSync(this.#path(name, REMARK), JSON.stringify(remark));
    process.kill(process.pid, 'SIGKILL');
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
