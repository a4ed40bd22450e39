// SPDX-License-Identifier: MIT
import { basename, join } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from './root.js';

/** Bundles a TypeScript program of the tests, so that Node starts it in a fraction of the time; returns its path. */
export async function bundled(program: string): Promise<string> {
  const file = join(ROOT, '.stopwatch', 'test-programs', basename(program).replace(/\.ts$/, '.mjs'));
  const external = ['dockerode', 'fast-check', 'jiti', 'playwright-core'];
  const bundle = await rolldown({ input: join(ROOT, program), platform: 'node', external });
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  return file;
}
