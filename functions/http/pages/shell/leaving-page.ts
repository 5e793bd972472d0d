// The page that sends the browser on to another site, with a link for browsers that do not go on by themselves. Pure.
import { html } from './html.ts';
import type { Page } from './layout.ts';

export const leavingPage = ({ service, to }: { readonly service: string; readonly to: string }): Page => ({
  title: `On to ${service}`,
  main: html`
    <h1>On to ${service}</h1>
    <p>Your browser goes on by itself. If it does not:</p>
    <p><a href="${to}">Continue to ${service}</a></p>
  `,
});
