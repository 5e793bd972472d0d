// The one stylesheet, part of every page, and its hash, by which the Content-Security-Policy allows it and no other.
import { createHash } from 'node:crypto';
import { html } from './html.ts';

// Markup like any other: without values there is nothing to escape. Named so that it is formatted as what it is.
const css = html;

// Pages are longer than a window: what is asked stands at its lower edge all the while, unless the window is too low to spare the room.
const STYLESHEET = css`
  :root {
    color-scheme: light dark;
    --text: #1b1f24;
    --muted: #4d5763;
    --page: #f4f5f7;
    --card: #ffffff;
    --line: #c5ccd4;
    --action: #0b5394;
    --on-action: #ffffff;
    --code: #eef0f3;
    --good: #12683a;
    --wait: #855000;
    --bad: #b0231b;
    --inset: clamp(1rem, 4vw, 2rem);
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --text: #e8eaed;
      --muted: #b3bac4;
      --page: #14171a;
      --card: #1e2226;
      --line: #4a525c;
      --action: #8ab8f0;
      --on-action: #0d1117;
      --code: #2a2f35;
      --good: #6fd49c;
      --wait: #f2c062;
      --bad: #ff9d94;
    }
  }
  * {
    box-sizing: border-box;
  }
  html {
    scroll-padding-bottom: 5rem;
  }
  body {
    margin: 0;
    padding: 1rem;
    background: var(--page);
    color: var(--text);
    font:
      1rem/1.55 system-ui,
      'Segoe UI',
      'Liberation Sans',
      sans-serif;
    overflow-wrap: anywhere;
  }
  header,
  main,
  footer {
    max-width: 44rem;
    margin: 0 auto;
  }
  header p,
  footer p {
    color: var(--muted);
    margin: 0.75rem 0;
  }
  main {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: 0.5rem;
    padding: var(--inset);
  }
  h1 {
    font-size: 1.6rem;
    line-height: 1.25;
    margin: 0 0 1rem;
  }
  h1.good::before,
  h1.wait::before,
  h1.bad::before {
    display: inline-block;
    width: 1.9rem;
    margin-right: 0.6rem;
    border-radius: 50%;
    line-height: 1.9rem;
    font-size: 1.2rem;
    text-align: center;
    vertical-align: 0.1rem;
    color: var(--card);
  }
  h1.good::before {
    content: '✓';
    content: '✓' / '';
    background: var(--good);
  }
  h1.wait::before {
    content: '…';
    content: '…' / '';
    background: var(--wait);
  }
  h1.bad::before {
    content: '!';
    content: '!' / '';
    background: var(--bad);
  }
  h2 {
    font-size: 1.15rem;
    line-height: 1.3;
    margin: 2rem 0 0.5rem;
  }
  h3 {
    font-size: 1rem;
    margin: 1.25rem 0 0.5rem;
  }
  p,
  ul,
  ol {
    margin: 0.5rem 0;
  }
  ul,
  ol {
    padding-left: 1.4rem;
  }
  li {
    margin: 0.3rem 0;
  }
  dl {
    margin: 1rem 0;
    border-top: 1px solid var(--line);
  }
  dl > div {
    display: grid;
    grid-template-columns: minmax(8rem, 13rem) 1fr;
    gap: 0.1rem 1rem;
    padding: 0.45rem 0;
    border-bottom: 1px solid var(--line);
  }
  dt {
    color: var(--muted);
  }
  dd {
    margin: 0;
  }
  bdi {
    unicode-bidi: isolate;
  }
  code,
  pre {
    font:
      0.9em/1.5 ui-monospace,
      'Liberation Mono',
      Consolas,
      monospace;
    background: var(--code);
    border-radius: 0.25rem;
  }
  code,
  .id {
    display: inline-block;
    max-width: 100%;
  }
  code {
    padding: 0.1em 0.3em;
  }
  .id code {
    display: inline;
  }
  pre {
    padding: 0.75rem;
    white-space: pre-wrap;
    border: 1px solid var(--line);
  }
  pre code {
    display: inline;
    padding: 0;
    font-size: 1em;
  }
  a {
    color: var(--action);
  }
  form {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
    margin: 1.5rem calc(-1 * var(--inset)) 0.5rem;
    padding: 0.75rem var(--inset);
    background: var(--card);
    border-top: 1px solid var(--line);
  }
  @media (min-height: 24rem) {
    form {
      position: sticky;
      bottom: 0;
    }
  }
  button {
    font: inherit;
    font-weight: 600;
    min-height: 2.75rem;
    padding: 0.6rem 1.25rem;
    border: 2px solid var(--action);
    border-radius: 0.375rem;
    background: var(--action);
    color: var(--on-action);
    cursor: pointer;
  }
  button.second {
    background: transparent;
    color: var(--action);
  }
  :focus-visible {
    outline: 3px solid var(--text);
    outline-offset: 2px;
  }
  @media (max-width: 30rem) {
    dl > div {
      grid-template-columns: 1fr;
    }
    button {
      width: 100%;
    }
  }
  @media print {
    form {
      display: none;
    }
  }
`;

/** The hash is of all between the tags: a line break there would be one character of it. */
// prettier-ignore
export const STYLE_ELEMENT = html`<style>${STYLESHEET}</style>`;

const digest = createHash('sha256').update(String(STYLESHEET), 'utf8').digest('base64');

/** As a source expression of style-src. */
export const STYLE_SOURCE = `'sha256-${digest}'`;
