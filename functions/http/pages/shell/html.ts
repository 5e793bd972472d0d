// HTML that is escaped by construction: what is written in a template is markup, what is put into it is text. Pure. There is no
// way round: a value becomes markup only by having been made by this same tag. Values go between elements or into attributes
// in double quotes, nowhere else.
import { withoutUnseen } from '../../../../shared/domain/visible-text.ts';

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

/** Texts of others too: what could hide in a name, or turn the text around it, shows as what it is. */
function escaped(text: string): string {
  return withoutUnseen(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
