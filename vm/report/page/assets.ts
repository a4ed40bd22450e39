// SPDX-License-Identifier: MIT
/** Reads the page's bundled scripts and style sheets. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PageAssets } from './page.js';

/** `dist`: the package's dist directory. */
export async function readAssets(dist: string): Promise<PageAssets> {
  const read = async (name: string): Promise<PageAssets['plots']> => ({
    script: await readFile(join(dist, 'page', name, 'script.js'), 'utf8'),
    style: await readFile(join(dist, 'page', name, 'style.css'), 'utf8'),
  });
  return { ...(await read('main')), plots: await read('plots') };
}
