// Pages that the sign-in emulators show to people: plain forms without script. What is put into a page is escaped by
// construction; nothing here knows what a page is for.
import type { EmulatorReply } from '../http/emulator-http.ts';

/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

type Part = string | Html | readonly Html[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Strings are escaped, pieces made by `html` itself are not. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, index) => text + render(parts[index] ?? '')).join('') };
}

export const NOTHING: Html = { html: '' };

export function hiddenField(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`;
}

/** A button that sends `answer`. */
export function button(answer: string, words: string): Html {
  return html`<button type="submit" name="answer" value="${answer}">${words}</button>`;
}

export function pageReply(options: {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  readonly detail?: EmulatorReply['detail'];
}): EmulatorReply {
  const { title, body, status = 200, detail } = options;
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`;
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Frame-Options': 'DENY',
  };
  return { status, headers, body: document.html, ...(detail === undefined ? {} : { detail }) };
}

function render(part: Part): string {
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
  return 'html' in part ? part.html : part.map((piece) => piece.html).join('');
}
