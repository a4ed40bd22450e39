// SPDX-License-Identifier: MIT
/** The page of a run in a browser: test/full/page.test.ts has the rest. */
import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFile, openRun, startBrowser } from '../support/browser.js';
import { diverged } from '../support/page-runs.js';
import { laboratory } from './laboratory.js';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => browser.close());

it('opens at the first difference and shows what the report says, from one file', async () => {
  const run = diverged();
  const { page, complaints } = await openRun(browser, run);
  const [device] = run.report.result.devices;
  expect(await page.locator('h1').textContent()).toBe('stopwatch diverges from its model');
  expect(await page.locator('#verdict').textContent()).toContain(device?.verdict?.divergence?.expected);
  const details = await page.locator('#details').innerText();
  expect(details).toContain('read ELAPSED_NS, 8 bytes');
  expect(details).toContain('The model differs.');
  expect(await page.locator('#list [aria-selected=true]').textContent()).toContain('read ELAPSED_NS');
  expect(complaints).toEqual([]);
});

it('is made beside the report of a run, once its verdict is printed', async () => {
  const { project } = laboratory();
  const out = await project.passes(['run-test-quit']);
  const file = project.lastRun('report.html');
  expect(out).toContain('Picture      ');
  expect(existsSync(file)).toBe(true);
  const { page, complaints } = await openFile(browser, file);
  expect(await page.locator('h1').textContent()).toBe('Passed');
  const text = await page.locator('main').innerText();
  const { verdict, tests } = project.lastDevice();
  expect(text).toContain(`${verdict?.events} events, ${verdict?.checked} fields checked`);
  for (const { name } of tests.flatMap((suite) => suite.tests)) expect(text).toContain(name);
  // Every event of the device, and every line of the console.
  const rows = Number(await page.locator('#list .row').first().getAttribute('aria-setsize'));
  expect(rows).toBeGreaterThan(verdict?.events ?? 0);
  expect(complaints).toEqual([]);
});
