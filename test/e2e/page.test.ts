// SPDX-License-Identifier: MIT
/** The page of a run in a browser: test/full/page.test.ts has the rest. */
import { expect, it } from 'vitest';
import { openRun, startBrowser } from '../support/browser.js';
import { diverged } from '../support/page-runs.js';

it('opens at the first difference and shows what the report says, from one file', async () => {
  const browser = await startBrowser();
  try {
    const run = diverged();
    const { page, complaints } = await openRun(browser, run);
    const [device] = run.report.result.devices;
    expect(await page.locator('h1').textContent()).toBe('stopwatch differs from its model');
    expect(await page.locator('#verdict').textContent()).toContain(device?.verdict?.divergence?.expected);
    const details = await page.locator('#details').innerText();
    expect(details).toContain('read ELAPSED_NS, 8 bytes');
    expect(details).toContain('The model says otherwise.');
    expect(await page.locator('#list [aria-selected=true]').textContent()).toContain('read ELAPSED_NS');
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});
