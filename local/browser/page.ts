// A page as a person sees it: title, words, links and forms with their buttons. Parses only; going anywhere is the
// browser's business.
import { parse, type HTMLElement } from 'node-html-parser';

/** What a button or a link would do. */
export interface Submission {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly fields: URLSearchParams;
}

export interface PageResponse {
  readonly url: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const BUTTONS = 'button, input[type=submit]';
const FIELDS = 'input, select, textarea';
/** Of these nothing is markup. The parser takes `pre` for one of them unless told. */
const TEXT_ELEMENTS = { script: true, noscript: true, style: true };

export class Page implements PageResponse {
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly #root: HTMLElement;

  constructor(response: PageResponse) {
    ({ url: this.url, status: this.status, headers: this.headers, body: this.body } = response);
    const isHtml = (response.headers['content-type'] ?? '').startsWith('text/html');
    this.#root = parse(isHtml ? response.body : '', { blockTextElements: TEXT_ELEMENTS });
  }

  get host(): string {
    return new URL(this.url).hostname;
  }

  get title(): string {
    return wordsOf(this.#root.querySelector('title'));
  }

  get heading(): string {
    return wordsOf(this.#root.querySelector('h1'));
  }

  /** Everything that can be read on it, or its body when it is no HTML. */
  get text(): string {
    const main = this.#root.querySelector('body');
    return main ? wordsOf(main) : this.body;
  }

  /** What can be read on it, a line for each heading, paragraph, item or cell. */
  get lines(): readonly string[] {
    const blocks = this.#root.querySelectorAll('h1, h2, h3, p, pre, li, dt, dd, th, td, label');
    return blocks.map(wordsOf).filter((line) => line !== '');
  }

  get buttons(): readonly string[] {
    return this.#root.querySelectorAll(BUTTONS).map(labelOfButton);
  }

  get links(): readonly string[] {
    return this.#root.querySelectorAll('a[href]').map(wordsOf);
  }

  /** It says that something was wrong with what was entered. */
  get hasAlert(): boolean {
    return this.#root.querySelector('[role=alert]') !== null;
  }

  /** The field of that name, or that has such a label. */
  hasField(nameOrLabel: string): boolean {
    return this.#findField(nameOrLabel) !== undefined;
  }

  /** What a field of that name holds, hidden ones too. */
  valueOf(name: string): string | undefined {
    return this.#root
      .querySelectorAll(FIELDS)
      .find((field) => field.getAttribute('name') === name)
      ?.getAttribute('value');
  }

  fill(nameOrLabel: string, value: string): void {
    const field = this.#findField(nameOrLabel);
    if (!field) throw new Error(`'${this.title}' has no field '${nameOrLabel}'`);
    field.setAttribute('value', value);
  }

  link(words: string): string {
    const link = this.#root.querySelectorAll('a[href]').find((one) => wordsOf(one) === words);
    if (!link) throw new Error(`'${this.title}' has no link '${words}', only: ${this.links.join(', ')}`);
    return new URL(link.getAttribute('href') ?? '', this.url).href;
  }

  press(words: string): Submission {
    const button = this.#root.querySelectorAll(BUTTONS).find((one) => labelOfButton(one) === words);
    if (!button) throw new Error(`'${this.title}' has no button '${words}', only: ${this.buttons.join(', ')}`);
    const form = button.closest('form');
    if (!form) throw new Error(`the button '${words}' stands in no form`);
    const fields = new URLSearchParams();
    for (const field of form.querySelectorAll(FIELDS)) if (isSent(field)) fields.append(...nameAndValue(field));
    if (button.getAttribute('name') !== undefined) fields.append(...nameAndValue(button));
    const method = (form.getAttribute('method') ?? 'get').toUpperCase() === 'POST' ? 'POST' : 'GET';
    return { method, url: new URL(form.getAttribute('action') ?? this.url, this.url).href, fields };
  }

  #findField(nameOrLabel: string): HTMLElement | undefined {
    const fields = this.#root.querySelectorAll(FIELDS).filter((field) => field.getAttribute('type') !== 'hidden');
    const label = this.#root.querySelectorAll('label').find((one) => wordsOf(one) === nameOrLabel);
    const id = label?.getAttribute('for');
    return fields.find(
      (field) => field.getAttribute('name') === nameOrLabel || (id !== undefined && field.getAttribute('id') === id),
    );
  }
}

function isSent(field: HTMLElement): boolean {
  const type = field.getAttribute('type') ?? '';
  if (field.getAttribute('name') === undefined || field.hasAttribute('disabled')) return false;
  if (['submit', 'button', 'reset', 'image', 'file'].includes(type)) return false;
  return !['checkbox', 'radio'].includes(type) || field.hasAttribute('checked');
}

function nameAndValue(field: HTMLElement): [string, string] {
  return [field.getAttribute('name') ?? '', field.getAttribute('value') ?? ''];
}

function labelOfButton(button: HTMLElement): string {
  return button.tagName === 'INPUT' ? (button.getAttribute('value') ?? '') : wordsOf(button);
}

function wordsOf(element: HTMLElement | null): string {
  return (element?.text ?? '').replace(/\s+/g, ' ').trim();
}
