// HTML that is escaped by construction: what is written in a template is markup, what is put into it is text. Pure. There is no
// way round: a value becomes markup only by having been made by this same tag. Values go between elements or into attributes
// in double quotes, nowhere else.

export class Html {
  readonly #markup: string;

  constructor(strings: TemplateStringsArray, values: readonly HtmlValue[]) {
    this.#markup = strings.reduce((before, part, index) => before + shown(values[index - 1]) + part);
  }

  toString(): string {
    return this.#markup;
  }
}

/** Undefined is nothing: for parts of a page that may be absent. */
export type HtmlValue = Html | string | number | undefined | readonly Html[];

export const html = (strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html => new Html(strings, values);

function shown(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  return value.map(String).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What no document may hold, and what would turn the text around it: bidirectional embeddings, overrides and isolates. */
const NOT_SHOWN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g;

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(NOT_SHOWN, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
