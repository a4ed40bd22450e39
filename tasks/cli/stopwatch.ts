#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/** The command. Turns on Node's compile cache (22.1 and later) before anything else is loaded. */
import * as module from 'node:module';

if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function') {
  module.enableCompileCache();
}
try {
  await import('./main.js');
} catch (error) {
  // Files that Node could not load: the limits of this shell, a damaged installation.
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    `Error: the program cannot be loaded: ${text}\n  Next: Raise the limits of this shell (ulimit -n 4096), or install it again.\n`,
  );
  process.exit(5);
}
