// Entities by partition and row key, and the few steps of a Loki query that Azurite takes on what is found. Holds
// references only; who writes keeps it up to date.

export interface Entity {
  readonly PartitionKey: string;
  readonly RowKey: string;
}

export class EntityIndex {
  readonly #partitions = new Map<string, Map<string, Entity>>();

  constructor(entities: readonly Entity[]) {
    for (const entity of entities) this.set(entity);
  }

  find(partitionKey: string, rowKey: string): Entity | undefined {
    return this.#partitions.get(partitionKey)?.get(rowKey);
  }

  partition(partitionKey: string): readonly Entity[] {
    return [...(this.#partitions.get(partitionKey)?.values() ?? [])];
  }

  set(entity: Entity): void {
    const { PartitionKey, RowKey } = entity;
    const rows = this.#partitions.get(PartitionKey);
    if (rows) rows.set(RowKey, entity);
    else this.#partitions.set(PartitionKey, new Map([[RowKey, entity]]));
  }

  delete({ PartitionKey, RowKey }: Entity): void {
    const rows = this.#partitions.get(PartitionKey);
    rows?.delete(RowKey);
    if (rows?.size === 0) this.#partitions.delete(PartitionKey);
  }
}

export class ArrayChain {
  readonly #entities: readonly Entity[];

  constructor(entities: readonly Entity[]) {
    this.#entities = entities;
  }

  where(keep: (entity: Entity) => boolean): ArrayChain {
    return new ArrayChain(this.#entities.filter((entity) => keep(entity)));
  }

  sort(compare: (one: Entity, other: Entity) => number): ArrayChain {
    return new ArrayChain([...this.#entities].sort(compare));
  }

  limit(count: number): ArrayChain {
    return new ArrayChain(this.#entities.slice(0, count));
  }

  data(): Entity[] {
    return [...this.#entities];
  }
}
