#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/** The command. Turns on Node's compile cache (22.1 and later) before anything else is loaded. */
import * as module from 'node:module';

if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function') {
  module.enableCompileCache();
}
await import('./main.js');
