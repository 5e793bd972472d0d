// A binary heap: the smallest element first, by a comparison that is passed in. Pure; knows nothing of messages.

export class MinHeap<T> {
  readonly #items: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#raise(this.#items.length - 1, item);
  }

  pop(): T | undefined {
    return this.#removeAt(0);
  }

  /** Linear in the size: for what is rare, such as cancelling. */
  remove(item: T): void {
    const index = this.#items.indexOf(item);
    if (index >= 0) this.#removeAt(index);
  }

  clear(): void {
    this.#items.length = 0;
  }

  #removeAt(index: number): T | undefined {
    const removed = this.#items[index];
    const last = this.#items.pop();
    if (last !== undefined && index < this.#items.length) {
      this.#sink(index, last);
      // Taken from the middle, the last item may belong above where it was put.
      if (this.#items[index] === last) this.#raise(index, last);
    }
    return removed;
  }

  #raise(from: number, item: T): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || !this.#isBefore(item, parent)) break;
      this.#items[index] = parent;
      index = above;
    }
    this.#items[index] = item;
  }

  #sink(from: number, item: T): void {
    let index = from;
    for (;;) {
      const left = this.#items[2 * index + 1];
      const right = this.#items[2 * index + 2];
      const goRight = left !== undefined && right !== undefined && this.#isBefore(right, left);
      const child = goRight ? right : left;
      if (child === undefined || !this.#isBefore(child, item)) break;
      this.#items[index] = child;
      index = 2 * index + (goRight ? 2 : 1);
    }
    this.#items[index] = item;
  }
}
