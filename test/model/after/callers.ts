// One host of callers: it writes new data keys and opens rows with company keys that it may have met long before.
import { oneLess } from '../names.ts';
import type { AfterOptions } from './options.ts';
import { madeOf, type CompanyKey, type State, type Step } from './state.ts';

export function* callerSteps(state: State, options: AfterOptions): Iterable<Step> {
  yield* writerSteps(state, options);
  if (options.hasReaders) yield* readerSteps(state);
  if (state.cache.length > 0) yield ['caches run out', { ...state, cache: [] }];
}

const cached = ({ cache }: State, version: number): number | undefined =>
  cache.find((key) => key.version === version)?.made;

function withCached(cache: readonly CompanyKey[], version: number, made: number): readonly CompanyKey[] {
  if (cache.some((key) => key.version === version)) return cache;
  return [...cache, { version, made }].sort((a, b) => a.version - b.version);
}

function* writerSteps(state: State, options: AfterOptions): Iterable<Step> {
  const { control, shard, writer, cache } = state;
  if (!writer) {
    const made = cached(state, shard.to) ?? madeOf(control, shard.to);
    if (state.left.writes === 0 || made === undefined) return;
    yield [
      `writer reads !shard: new keys at ${shard.to}`,
      {
        ...state,
        writer: { etag: shard.etag, version: shard.to, made },
        cache: withCached(cache, shard.to, made),
        left: oneLess(state.left, 'writes'),
      },
    ];
    return;
  }
  const { etag, version, made } = writer;
  const without = { ...state, writer: undefined };
  yield ['writer gives up', without];
  if (shard.etag !== etag) return;
  const isUnderKept = control.kept.includes(version) && options.tolerated === 'nothing';
  yield [
    `writer writes a key at ${version} by #${made}`,
    {
      ...without,
      shard: { ...shard, etag: state.etag + 1, rows: [...shard.rows, { version, made }] },
      etag: state.etag + 1,
      wrong: isUnderKept ? `WRITTEN: a new key under the kept version ${version}` : '',
    },
  ];
}

function* readerSteps(state: State): Iterable<Step> {
  for (const { version, made } of state.shard.rows) {
    const held = cached(state, version) ?? madeOf(state.control, version);
    if (held !== made) {
      const wrong = `READER: has #${held ?? 0} for version ${version}, the row was made by #${made}`;
      yield ['reader opens a row', { ...state, wrong }];
    } else if (cached(state, version) === undefined) {
      const cache = withCached(state.cache, version, made);
      yield [`reader opens a row at ${version} and keeps the key`, { ...state, cache }];
    }
  }
}
