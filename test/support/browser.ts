// SPDX-License-Identifier: MIT
/** Debian's Chromium, for tests of pages. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { readAssets } from '../../vm/report/page/assets.js';
import { runPage } from '../../vm/report/page/page.js';
import { type FixtureRun, recordingOf } from './page-runs.js';
import { ROOT } from './root.js';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Playwright gives it an empty profile. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
}

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What it wrote to its console, what it threw, and the addresses it asked for besides its own. */
  readonly complaints: readonly string[];
}

/** Opens the page of a run, as a file, and waits for its script. */
export async function openRun(
  browser: Browser,
  run: FixtureRun,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const assets = await readAssets(join(ROOT, 'dist'));
  return openHtml(browser, runPage({ report: run.report, recording: recordingOf(run) }, assets), options);
}

export async function openHtml(
  browser: Browser,
  html: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const directory = mkdtempSync(join(tmpdir(), 'stopwatch-page-'));
  const file = join(directory, 'report.html');
  writeFileSync(file, html);
  const open = await openFile(browser, file, options);
  open.context.once('close', () => rmSync(directory, { recursive: true, force: true }));
  return open;
}

export async function openFile(
  browser: Browser,
  file: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const address = pathToFileURL(file).href;
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (url !== address && !url.startsWith('data:')) complaints.push(url);
  });
  await page.goto(address);
  await page.waitForSelector('html[data-ready]');
  return { page, context, complaints };
}
