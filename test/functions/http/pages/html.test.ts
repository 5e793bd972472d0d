import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { html } from '../../../../functions/http/pages/shell/html.ts';
import { withoutUnseen } from '../../../../shared/domain/visible-text.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', 'a', ';', '/', '\u202e', '\u2069', '\u0000', '\ud800') }),
);

/** As a parser reads it back. */
const read = (escaped: string): string =>
  escaped
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

describe('what is put into a template', () => {
  test('is text, whatever it is: no markup and no end of an attribute, and it reads as it was', () => {
    fc.assert(
      fc.property(text, (value) => {
        const inside = String(html`${value}`);
        expect(inside).not.toMatch(/[<>"']/);
        expect(inside.replace(/&(lt|gt|quot|#39|amp);/g, '')).not.toContain('&');
        expect(read(inside)).toBe(withoutUnseen(value));
      }),
      { numRuns: 2_000 },
    );
  });

  test('cannot turn the text around it or hide in it: what cannot be seen is shown as what it is not', () => {
    expect(String(html`<bdi>${'a\u202eb\u2069c\u200bd'}</bdi>`)).toBe('<bdi>a\ufffdb\ufffdc\ufffdd</bdi>');
  });

  test('is markup if it was made by a template, alone or in a list, and is then not escaped again', () => {
    const item = (value: string): ReturnType<typeof html> => html`<i>${value}</i>`;
    expect(String(html`<b>${['a', '<'].map(item)}</b>`)).toBe('<b><i>a</i><i>&lt;</i></b>');
    expect(String(html`<p>${html`<b>${'&'}</b>`}</p>`)).toBe('<p><b>&amp;</b></p>');
  });

  test('is nothing if it is undefined, and a number if it is one', () => {
    expect(String(html`<p>${undefined}${0}</p>`)).toBe('<p>0</p>');
  });
});
