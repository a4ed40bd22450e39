// SPDX-License-Identifier: MIT
/** What the page of a run shows is what the report says; whatever a guest says does nothing; it works without a mouse. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRuns, comparisonPage } from '../../vm/report/compare.js';
import { readAssets } from '../../vm/report/page/assets.js';
import { vcd } from '../../vm/report/vcd.js';
import { openHtml, openRun, startBrowser } from '../support/browser.js';
import {
  crashed,
  diverged,
  failedTest,
  hostile,
  hung,
  long,
  passed,
  recordingOf,
  several,
} from '../support/page-runs.js';
import { ROOT } from '../support/sandbox.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RUNS = { passed, diverged, failedTest, crashed, hung, several, hostile };
let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => browser.close());

/** Names of the rules that the page breaks, and where. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate<string[]>(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].target}`))',
  );
}

describe.each(Object.entries(RUNS))('%s', (_, make) => {
  const run = make();

  it('shows what the report says, without a complaint or a request', async () => {
    const { page, context, complaints } = await openRun(browser, run);
    const text = await page.locator('main').innerText();
    for (const { id, tests, verdict } of run.report.result.devices) {
      expect(text).toContain(id);
      for (const { name } of tests.flatMap((suite) => suite.tests.slice(0, 4))) expect(text).toContain(name);
      if (verdict) expect(text).toContain(`${verdict.events} events, ${verdict.checked} fields checked`);
    }
    const rows = recordingOf(run).rows.length;
    expect(await page.locator('#list .row').first().getAttribute('aria-setsize')).toBe(String(rows));
    expect(complaints).toEqual([]);
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined();
    await context.close();
  });

  it.each([
    ['wide and light', 1280, 'light'],
    ['narrow and dark', 360, 'dark'],
  ] as const)(
    'has nothing that axe-core complains about, and no sideways scrolling: %s',
    async (__, width, colorScheme) => {
      const { page, context } = await openRun(browser, run, {
        viewport: { width, height: 800 },
        colorScheme,
      });
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      await context.close();
    },
  );
});

describe('without a mouse', () => {
  it('reaches every control, and all of the timeline and the list', async () => {
    const { page, context } = await openRun(browser, passed());
    const reached = new Set<string>();
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab');
      reached.add(
        await page.evaluate<string>(
          'document.activeElement.id || document.activeElement.dataset.do || document.activeElement.tagName',
        ),
      );
    }
    for (const id of [
      'in',
      'out',
      'fit',
      'previous',
      'next',
      'lanes',
      'words',
      'show',
      'list',
      'details',
      'SUMMARY',
      'A',
    ])
      expect([...reached]).toContain(id);

    await page.locator('#lanes').focus();
    const range = page.locator('#range');
    const whole = await range.textContent();
    await page.keyboard.press('+');
    const zoomed = await range.textContent();
    expect(zoomed).not.toBe(whole);
    await page.keyboard.press('ArrowRight');
    expect(await range.textContent()).not.toBe(zoomed);
    await page.keyboard.press('0');
    expect(await range.textContent()).toBe(whole);
    await page.keyboard.press('.');
    expect(await page.locator('#details h3').textContent()).toBe('machine reset');

    await page.locator('#list').focus();
    await page.keyboard.press('End');
    expect(await page.locator('#list [aria-selected=true]').textContent()).toContain('reboot: Power down');
    await page.keyboard.press('ArrowUp');
    expect(await page.locator('#details h3').textContent()).toBe('end of the stream');
    await context.close();
  });
});

describe('with a mouse', () => {
  it('zooms, pans and picks', async () => {
    const { page, context } = await openRun(browser, passed());
    const canvas = page.locator('#lanes');
    await canvas.scrollIntoViewIfNeeded();
    const box = await canvas.boundingBox();
    if (box === null) throw new Error('No canvas');
    const range = page.locator('#range');
    const whole = await range.textContent();
    await page.mouse.move(box.x + 600, box.y + 80);
    await page.mouse.down();
    await page.mouse.up();
    expect(await page.locator('#details h3').textContent()).toMatch(/read|write|expiry|reset/);
    await page.mouse.wheel(0, -300);
    await expect.poll(async () => range.textContent()).not.toBe(whole);
    const zoomed = await range.textContent();
    await page.mouse.down();
    await page.mouse.move(box.x + 500, box.y + 80, { steps: 4 });
    await page.mouse.up();
    expect(await range.textContent()).not.toBe(zoomed);
    await page.locator('[data-do=fit]').click();
    expect(await range.textContent()).toBe(whole);
    await context.close();
  });
});

describe('with fingers', () => {
  it('pans with one and zooms with two', async () => {
    const { page, context } = await openRun(browser, passed(), {
      hasTouch: true,
      viewport: { width: 360, height: 800 },
    });
    const canvas = page.locator('#lanes');
    await canvas.scrollIntoViewIfNeeded();
    const { x, y } = (await canvas.boundingBox()) ?? { x: 0, y: 0 };
    const input = await context.newCDPSession(page);
    const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', ...xs: number[]): Promise<void> => {
      const touchPoints = xs.map((at, id) => ({ x: x + at, y: y + 90, id }));
      await input.send('Input.dispatchTouchEvent', { type, touchPoints });
    };
    const range = page.locator('#range');
    const whole = await range.textContent();
    await touch('touchStart', 100, 200);
    await touch('touchMove', 80, 240);
    await touch('touchMove', 60, 280);
    await touch('touchEnd');
    const zoomed = await range.textContent();
    expect(zoomed).not.toBe(whole);
    await touch('touchStart', 100);
    await touch('touchMove', 140);
    await touch('touchMove', 180);
    await touch('touchEnd');
    expect(await range.textContent()).not.toBe(zoomed);
    await context.close();
  });
});

it('filters by words and by what they are', async () => {
  const { page, context } = await openRun(browser, several());
  const first = page.locator('#list .row').first();
  const count = async (): Promise<number> => Number((await first.getAttribute('aria-setsize')) ?? 0);
  await page.locator('#words').fill('id=lap elapsed_ns read');
  expect(await count()).toBe(13);
  await page.locator('#words').fill('');
  await page.locator('#show').selectOption('console');
  const lines = await count();
  expect(lines).toBe(recordingOf(several()).rows.filter(({ source }) => source < 0).length);
  await page.locator('#show').selectOption('1');
  expect(await page.locator('#list .source').allTextContents()).not.toContain('console');
  await context.close();
});

it('shows the raw line, and leads from an event to the console around it', async () => {
  const { page, context } = await openRun(browser, diverged());
  await page.locator('#details summary').click();
  expect(await page.locator('#details pre').innerText()).toMatch(
    /^stopwatch_read id=stopwatch seq=17 now=\d+ offset=0x28 /,
  );
  await page.locator('#details .around button.after').first().click();
  expect(await page.locator('#details h3').textContent()).toBe('Console line');
  await context.close();
});

it('100,000 events: all are there, and the file stays below 5 MiB', async () => {
  const run = long(100_000);
  const { page, context, complaints } = await openRun(browser, run);
  const { rows } = recordingOf(run);
  expect(rows.length).toBeGreaterThan(100_000);
  expect(await page.locator('#list .row').first().getAttribute('aria-setsize')).toBe(String(rows.length));
  const file = new URL(page.url());
  expect(statSync(file).size).toBeLessThan(5 << 20);
  expect(complaints).toEqual([]);
  await context.close();
});

it('an ordinary run is below 500 KiB', async () => {
  const { page, context } = await openRun(browser, several());
  expect(statSync(new URL(page.url())).size).toBeLessThan(500 << 10);
  await context.close();
});

it('the page that compares two runs has nothing to complain about', async () => {
  const [one, other] = [passed(), hostile()].map((run) => ({
    report: run.report,
    recording: recordingOf(run),
  }));
  if (one === undefined || other === undefined) throw new Error('Two runs');
  const { style } = await readAssets(join(ROOT, 'dist'));
  const html = comparisonPage(compareRuns(one, other), style).replace('<html', '<html data-ready="true"');
  const { page, context, complaints } = await openHtml(browser, html);
  // The content security policy of the page lets its own scripts run, and axe-core with them.
  expect(await violations(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await context.close();
});

it.each(Object.entries(RUNS))('GTKWave reads the waveforms of %s', (name, make) => {
  const directory = mkdtempSync(join(tmpdir(), 'stopwatch-vcd-'));
  try {
    const [from, to, back] = ['run.vcd', 'run.fst', 'back.vcd'].map((file) => join(directory, file));
    if (from === undefined || to === undefined || back === undefined) throw new Error(name);
    writeFileSync(from, vcd(recordingOf(make())));
    execFileSync('vcd2fst', [from, to], { stdio: 'pipe' });
    execFileSync('fst2vcd', ['-f', to, '-o', back], { stdio: 'pipe' });
    expect(readFileSync(back, 'utf8')).toMatch(/\$var string 0 \S+ status \$end/);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
