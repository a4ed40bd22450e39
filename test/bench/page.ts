// SPDX-License-Identifier: MIT
/** `npm run bench -- page`: what the page of a run costs to make, to open, and to pan. A program: jiti cannot load Playwright. */
import { join } from 'node:path';
import { runPage } from '../../vm/report/page/page.js';
import { readAssets } from '../../vm/report/page/assets.js';
import { openHtml, startBrowser } from '../support/browser.js';
import { long, passed, recordingOf } from '../support/page-runs.js';
import { ROOT } from '../support/root.js';

const EVENTS = 100_000;
const FRAMES = 120;

/** In the page: pans by a hundredth of the view before each frame, and gives the time of each, sorted. */
const PAN = `new Promise((resolve) => {
  const canvas = document.getElementById('lanes');
  const times = [];
  let before;
  const frame = (now) => {
    if (before !== undefined) times.push(now - before);
    before = now;
    if (times.length >= ${FRAMES}) return resolve(times.sort((a, b) => a - b));
    canvas.dispatchEvent(new WheelEvent('wheel', { deltaX: times.length % 60 < 30 ? 12 : -12, cancelable: true }));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const assets = await readAssets(join(ROOT, 'dist'));
for (const [what, run] of [
  ['an ordinary run', passed()],
  [`${EVENTS} events`, long(EVENTS)],
] as const) {
  const made: number[] = [];
  let html = '';
  for (let turn = 0; turn < 5; turn++) {
    const from = performance.now();
    html = runPage({ report: run.report, recording: recordingOf(run) }, assets);
    made.push(performance.now() - from);
  }
  print(
    `${what}: made in ${made.map((ms) => ms.toFixed(0)).join(', ')} ms; ${(html.length / 1024).toFixed(0)} KiB`,
  );
  const browser = await startBrowser();
  const opened: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const { page, context } = await openHtml(browser, html, { viewport: { width: 1280, height: 900 } });
    opened.push(await page.evaluate<number>("performance.getEntriesByName('ready')[0].startTime"));
    const actions = { 'the whole run': '', 'a hundredth of it': '+'.repeat(12) };
    for (const [where, keys] of Object.entries(actions)) {
      await page.locator('#lanes').focus();
      for (const key of keys) await page.keyboard.press(key);
      const frames = await page.evaluate<number[]>(PAN);
      const median = frames[Math.floor(frames.length / 2)] ?? 0;
      const worst = frames[Math.floor(frames.length * 0.95)] ?? 0;
      print(
        `  panning over ${where}: ${(1000 / median).toFixed(0)} frames a second, 95 % within ${worst.toFixed(1)} ms`,
      );
    }
    await context.close();
  }
  print(`  opened in ${opened.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  await browser.close();
}
