// As much of a POSIX shell as the commands of remedies need: words, quotes, substitution. Whatever else a line holds is refused.

/** Answers what a command prints, without its last line break. */
type Command = (words: readonly string[]) => Promise<string>;

/** Runs a line; a comment or an empty one prints nothing. */
export async function runLine(line: string, command: Command): Promise<string> {
  if (/^\s*(#.*)?$/.test(line)) return '';
  const reader = new Reader(line, command);
  const words = await reader.words(() => false);
  return command(words);
}

class Reader {
  readonly #text: string;
  readonly #command: Command;
  #at = 0;

  constructor(text: string, command: Command) {
    this.#text = text;
    this.#command = command;
  }

  async words(isEnd: (char: string) => boolean): Promise<string[]> {
    const words: string[] = [];
    for (;;) {
      while (this.#peek() === ' ') this.#at += 1;
      const next = this.#peek();
      if (next === undefined || isEnd(next)) return words;
      words.push(...(await this.#word(isEnd)));
    }
  }

  /** More than one if a bare substitution prints more: the shell splits there. */
  async #word(isEnd: (char: string) => boolean): Promise<string[]> {
    const words = [''];
    const add = (text: string): void => void words.push(`${words.pop() ?? ''}${text}`);
    let isQuoted = false;
    for (let char = this.#peek(); char !== undefined && char !== ' ' && !isEnd(char); char = this.#peek()) {
      if (char === "'") add(this.#single());
      else if (char === '"') add(await this.#double());
      else if (char === '$') {
        const [first = '', ...more] = (await this.#substitution()).split(/\s+/).filter((one) => one !== '');
        add(first);
        words.push(...more);
        continue;
      } else if (char === '\\') {
        add(this.#text[this.#at + 1] ?? '');
        this.#at += 2;
        continue;
      } else if (/[;&|<>`()*?~!{}]/.test(char)) throw new Error(`a shell would act on ${char} in: ${this.#text}`);
      else {
        add(char);
        this.#at += 1;
        continue;
      }
      isQuoted = true;
    }
    return words.length === 1 && words[0] === '' && !isQuoted ? [] : words;
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    const inside = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return inside;
  }

  async #double(): Promise<string> {
    let inside = '';
    this.#at += 1;
    for (let char = this.#peek(); char !== '"'; char = this.#peek()) {
      if (char === undefined || char === '`' || char === '\\') throw new Error(`not understood: ${this.#text}`);
      if (char === '$') inside += await this.#substitution();
      else {
        inside += char;
        this.#at += 1;
      }
    }
    this.#at += 1;
    return inside;
  }

  async #substitution(): Promise<string> {
    if (this.#text[this.#at + 1] !== '(') throw new Error(`a variable: ${this.#text}`);
    this.#at += 2;
    const words = await this.words((char) => char === ')');
    this.#at += 1;
    return this.#command(words);
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }
}
