// Does every data key open with the provider in force, in the live store and in the copy, and nothing with a provider that was left?
import type { CopiesOptions } from './options.ts';
import {
  kekOf,
  keyOf,
  providerOf,
  providersInUse,
  sorted,
  type Control,
  type Copy,
  type Kek,
  type Provider,
  type State,
} from './state.ts';

/** The KEKs through which a company key can be had: a kept one through the key that it is kept under. */
function keksThatOpen(control: Control, version: number): readonly Kek[] {
  const key = keyOf(control, version);
  if (!key) return [];
  return key.under === 0 ? key.wraps : [...key.wraps, ...keksThatOpen(control, key.under)];
}

export function faultOf({ control, shards, copy }: State, options: CopiesOptions): string | undefined {
  return faultOfKeys(control, options) ?? faultOfShards(control, shards) ?? faultOfCopy(copy);
}

function faultOfKeys(control: Control, options: CopiesOptions): string | undefined {
  const inUse = providersInUse(control);
  for (const { version } of control.keys) {
    const keks = keksThatOpen(control, version);
    const left = sorted(keks.map(providerOf).filter((provider) => !inUse.includes(provider)));
    if (left.length > 0)
      return `LIVE: company key ${version} opens with ${left.join()}; in use is only ${inUse.join()}`;
    if (options.keep !== 'newest' && !keks.some((kek) => isCurrent(control, kek)))
      return `LIVE: kept company key ${version} opens with disabled KEK versions only`;
  }
  return undefined;
}

const isCurrent = (control: Control, kek: Kek): boolean => kek === kekOf(control, providerOf(kek));

function faultOfShards(control: Control, shards: State['shards']): string | undefined {
  const inUse = providersInUse(control);
  for (const { beside, rows } of shards) {
    const left = sorted(beside.map(({ kek }) => providerOf(kek)).filter((provider) => !inUse.includes(provider)));
    if (left.length > 0) return `LIVE: a wrap beside a shard opens with ${left.join()}; in use is only ${inUse.join()}`;
    const closed = rows.find(
      ({ version }) => !keksThatOpen(control, version).includes(kekOf(control, control.inForce)),
    );
    if (closed) return `LIVE: a data key at ${closed.version} does not open with ${control.inForce}, in force`;
  }
  return undefined;
}

function faultOfCopy(copy: Copy): string | undefined {
  const { control, rows } = copy;
  // Of a company that was deleted since, rows need not open.
  if (!control || !rows || copy.life < control.life) return undefined;
  if (copy.life > control.life) return 'COPY: data keys of a later company than the control rows';
  for (const { version } of rows) {
    const verdict = verdictOn(copy, control, version);
    const versions = control.keys.map((key) => key.version).join();
    if (verdict !== 'ok')
      return `COPY: data key at ${version}: ${verdict} (control is ${control.state}, in force ${control.inForce}, has ${versions})`;
  }
  return undefined;
}

/** What comes of a data key of the copy: opens it with the provider that control has in force, with another one only, or not at all? */
function verdictOn(copy: Copy, control: Control, version: number): string {
  const inUse = providersInUse(control);
  const byControl = keksThatOpen(control, version)
    .filter((kek) => isCurrent(control, kek))
    .map(providerOf);
  const byBeside = (copy.beside ?? []).flatMap((one) => (one.version === version ? [providerOf(one.kek)] : []));
  const opening: readonly Provider[] = [...byControl, ...byBeside];
  if (opening.length === 0) return 'LOST';
  const isLeft = byControl.some((provider) => !inUse.includes(provider));
  if (isLeft || byBeside.some((provider) => !copy.inUse.includes(provider))) return 'LEFT provider opens it';
  return opening.includes(control.inForce) ? 'ok' : `only ${sorted([...opening]).join('/')}`;
}
