// SPDX-License-Identifier: MIT
/** Our own command lines, for people. */
import { PRODUCT } from '../product.js';
import { shellQuote } from './process.js';

/** A command line to type in a project. */
export function commandLine(...args: readonly string[]): string {
  return shellQuote({ file: 'npx', args: [PRODUCT, ...args] });
}
