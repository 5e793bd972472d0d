// The product's registry with one line more.
import type { KeyProvider } from '../../../shared/providers/provider.ts';
import { memory, type MemoryKeys } from './memory.ts';

export const others = (keys: MemoryKeys): readonly KeyProvider[] => [memory(keys)];
