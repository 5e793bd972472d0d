// Finds a function's trigger among its bindings; their names are hashes.
import type { Binding, FunctionMetadata } from './core-types.ts';

const SUPPORTED = new Set(['httpTrigger', 'serviceBusTrigger', 'timerTrigger']);

interface Trigger {
  readonly name: string;
  readonly binding: Binding;
}

/** Throws for a trigger that this host does not run: silence would look like a function that never fires. */
export function findTrigger(metadata: FunctionMetadata): Trigger {
  const found = Object.entries(metadata.bindings).find(([, { type }]) => type.endsWith('Trigger'));
  if (!found) throw new Error(`Function '${metadata.name}' has no trigger.`);
  const [name, binding] = found;
  if (!SUPPORTED.has(binding.type)) {
    throw new Error(`Function '${metadata.name}': the local host does not run a ${binding.type}.`);
  }
  const other = Object.entries(metadata.bindings).find(([key, { type }]) => key !== name && type !== 'http');
  if (other) throw new Error(`Function '${metadata.name}': the local host does not run a ${other[1].type} binding.`);
  return { name, binding };
}
