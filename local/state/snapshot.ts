// The whole state of a small stand-in, kept as one value and written anew after each call that changed it.
import { asText, fromText } from './as-text.ts';
import { StateFile } from './state-file.ts';

export interface Snapshot<T> {
  /** As it was saved last, in this run or an earlier one. */
  readonly found: T | undefined;
  save(value: T): void;
  close(): void;
}

const KIND = 'snapshot';

/** Keeps nothing if no file is named. */
export function openSnapshot<T>(path: string | undefined): Snapshot<T> {
  if (path === undefined) return { found: undefined, save: () => undefined, close: () => undefined };
  const file = new StateFile(path);
  let saved = file.value(KIND, '');
  return {
    found: saved === undefined ? undefined : (fromText(saved) as T),
    save: (value) => {
      const text = asText(value);
      if (text === saved) return;
      file.write([{ kind: KIND, key: '', value: text }]);
      saved = text;
    },
    close: () => file.close(),
  };
}
