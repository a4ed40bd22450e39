// SPDX-License-Identifier: MIT
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PageAssets } from './page.js';

/** What the build made for pages. `dist`: of the package. */
export async function readAssets(dist: string): Promise<PageAssets> {
  const text = async (name: string): Promise<string> => readFile(join(dist, 'page', name), 'utf8');
  return {
    script: await text('main.js'),
    style: await text('style.css'),
    plots: { script: await text('plots.js'), style: await text('plots.css') },
  };
}
