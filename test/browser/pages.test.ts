// Every page in a real browser: what it looks like, what it lets run, and who can use it.
import { mkdirSync } from 'node:fs';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pages } from '../functions/http/pages/page-views.ts';
import { describeInBrowser, openChromium } from './chromium.ts';
import { startPageHost, type PageHost } from './page-host.ts';

/** Where whoever wants to look has every page put, in every look. */
const SCREENSHOTS = process.env['SCREENSHOTS'];
const NAMES = Object.keys(pages);
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const WIDE = { viewport: { width: 1280, height: 800 } };
/** By day and by night; the narrowest that WCAG asks for, which is also 1280 pixels at 400 %; and 200 %. */
const LOOKS = {
  light: { ...WIDE, colorScheme: 'light' },
  dark: { ...WIDE, colorScheme: 'dark' },
  narrow: { viewport: { width: 320, height: 640 }, colorScheme: 'light' },
  zoomed: { viewport: { width: 640, height: 400 }, colorScheme: 'light' },
} as const;

describeInBrowser('pages in Chromium', () => {
  let host: PageHost;
  let browser: Browser;

  beforeAll(async () => {
    if (SCREENSHOTS !== undefined) mkdirSync(SCREENSHOTS, { recursive: true });
    [host, browser] = await Promise.all([startPageHost(), openChromium()]);
  });
  afterAll(async () => {
    await browser.close();
    await host.close();
  });

  /** Collects all that the browser complains of. */
  function listen(page: Page): string[] {
    const told: string[] = [];
    page.on('console', (message) => told.push(message.text()));
    page.on('pageerror', (error) => told.push(error.message));
    return told;
  }

  async function withPage(
    options: BrowserContextOptions,
    act: (page: Page, told: string[]) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    try {
      await act(page, listen(page));
    } finally {
      await context.close();
    }
  }

  /** Of a page in which axe is. */
  const violationsOf = async (page: Page): Promise<string[]> => {
    const options = JSON.stringify({ runOnly: RULES });
    const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(document, ${options})`);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ''}`),
    );
  };

  /** Buttons that are out of sight before anybody has scrolled. */
  const buttonsOutOfSight = (page: Page): Promise<string[]> =>
    page.evaluate(`(scrollTo(0, 0), [...document.querySelectorAll('button')].filter((button) => {
      const { top, bottom } = button.getBoundingClientRect();
      return top < 0 || bottom > innerHeight;
    }).map((button) => button.innerText))`);

  /** Ids behind which the closing bracket stands on a line of its own. */
  const strayBrackets = (page: Page): Promise<string[]> =>
    page.evaluate(`[...document.querySelectorAll('code')].filter((code) => {
      const after = code.nextSibling;
      if (!after || !after.data || !after.data.startsWith(')')) return false;
      const bracket = document.createRange();
      bracket.setStart(after, 0);
      bracket.setEnd(after, 1);
      const [last] = [...code.getClientRects()].slice(-1);
      return bracket.getBoundingClientRect().top >= last.bottom - 4;
    }).map((code) => code.innerText)`);

  const isTooWide = (page: Page): Promise<boolean> =>
    page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

  describe('in one window, since opening one takes longer than all that is looked at in it', () => {
    let page: Page;
    let told: string[];

    beforeAll(async () => {
      page = await browser.newPage();
      told = listen(page);
    });
    afterAll(() => page.close());

    test.each(NAMES)(
      '%s loads without a complaint, fits any window with its buttons in sight, and keeps nobody out of it',
      async (name) => {
        told.length = 0;
        await page.goto(`${host.url}/consent/pages/${name}`);
        expect(told).toEqual([]);
        await page.evaluate(axe.source);
        for (const [look, { viewport, colorScheme }] of Object.entries(LOOKS)) {
          await page.setViewportSize(viewport);
          await page.emulateMedia({ colorScheme });
          expect(await strayBrackets(page), look).toEqual([]);
          if (SCREENSHOTS !== undefined) {
            await page.screenshot({ path: `${SCREENSHOTS}/${name}-${look}-first-sight.png` });
            // As high as the page: what stays at the lower edge of a window is then below all else.
            const height = await page.evaluate<number>('document.documentElement.scrollHeight');
            await page.setViewportSize({ ...viewport, height });
            await page.screenshot({ path: `${SCREENSHOTS}/${name}-${look}.png` });
            await page.setViewportSize(viewport);
          }
          expect(await isTooWide(page), look).toBe(false);
          expect(await buttonsOutOfSight(page), look).toEqual([]);
          expect(await violationsOf(page), look).toEqual([]);
        }
      },
    );
  });

  test('a name and its id are one line, and an id that fits into a line is not broken', async () => {
    await withPage({ viewport: { width: 900, height: 800 } }, async (page) => {
      await page.goto(`${host.url}/consent/pages/consent-granted`);
      expect(await page.locator('dd').nth(1).innerText()).toBe('Contoso Steel & Sons (contoso)');
      const lines = "[...document.querySelectorAll('li code')].map((code) => Math.round(code.clientHeight / 24))";
      expect(new Set(await page.evaluate<number[]>(lines))).toEqual(new Set([1]));
    });
  });

  test('names that are markup are shown as they are, and run nothing', async () => {
    await withPage(WIDE, async (page, told) => {
      await page.goto(`${host.url}/consent/pages/start-hostile`);
      expect(await page.title()).toBe('Let an application use one key in your key vault – Tailspin Backup');
      expect(await page.locator('script, img').count()).toBe(0);
      expect(await page.locator('h1').count()).toBe(1);
      expect(await page.locator('dd').nth(1).innerText()).toContain('<script>document.title="taken over"</script>');
      expect(await page.locator('body').innerText()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
      expect(told).toEqual([]);
    });
  });

  test('markup that got into a page after all runs no script, has no style, loads nothing and sends no form elsewhere', async () => {
    await withPage(WIDE, async (page, told) => {
      const answered: string[] = [];
      page.on('response', (response) => answered.push(new URL(response.url()).host));
      const own = new URL(host.url).host;
      await page.route('**/consent/pages/start-consent', async (route) => {
        const response = await route.fetch();
        const body = (await response.text()).replace(
          '<h1>',
          `<script>window.ran = 1</script><script src="https://evil.example/x.js"></script>
           <img src="https://evil.example/x.png" onerror="window.ran = 2"><style>h1 { color: rgb(1, 2, 3) }</style>
           <iframe src="https://evil.example/"></iframe><base href="https://evil.example/">
           <form action="https://evil.example/" method="post"><button id="evil">x</button></form><h1>`,
        );
        await route.fulfill({ response, body });
      });
      await page.goto(`${host.url}/consent/pages/start-consent`);
      await page.evaluate('document.querySelector("#evil").click()');
      expect(await page.evaluate('window.ran')).toBeUndefined();
      expect(await page.evaluate('getComputedStyle(document.querySelector("h1")).color')).not.toBe('rgb(1, 2, 3)');
      expect(new URL(page.url()).host).toBe(own);
      expect(new Set(answered)).toEqual(new Set([own]));
      for (const directive of ['script-src', 'img-src', 'style-src', 'frame-src', 'base-uri', 'form-action']) {
        const blocked = told.filter((text) => text.includes('Content Security Policy') && text.includes(directive));
        expect(blocked.length, directive).toBeGreaterThan(0);
      }
    });
  });

  test('a page is shown in nobody’s frame', async () => {
    await withPage(WIDE, async (page, told) => {
      const frame = `<iframe src="${host.url}/consent/pages/confirmation-consent"></iframe>`;
      await page.route('**/framing', (route) => route.fulfill({ contentType: 'text/html', body: frame }));
      await page.goto(`${host.url}/framing`);
      await expect.poll(() => told.join()).toContain('frame-ancestors');
      expect(page.frames()[1]?.url()).toBe('chrome-error://chromewebdata/');
    });
  });

  test('the keyboard alone grants, declines, and sees where it is', async () => {
    for (const [presses, heading] of [
      [1, 'Consent is granted'],
      [2, 'You declined'],
    ] as const) {
      await withPage(WIDE, async (page) => {
        await page.goto(`${host.url}/consent/pages/confirmation-consent`);
        for (let press = 0; press < presses; press += 1) await page.keyboard.press('Tab');
        expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
        await page.keyboard.press('Enter');
        await page.waitForURL('**/consent/pages/form');
        expect(await page.locator('h1').innerText()).toBe(heading);
      });
    }
  });

  test('a failure that may pass is tried again by its button, with the same answer', async () => {
    await withPage(WIDE, async (page) => {
      await page.goto(`${host.url}/consent/pages/failure-again`);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.waitForURL('**/consent/pages/form');
      expect(await page.locator('h1').innerText()).toBe('Consent is granted');
    });
  });
});
