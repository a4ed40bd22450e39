// SPDX-License-Identifier: MIT
/** A process of its own that builds once. Argument: what, as JSON. Prints the figures as JSON. */
import { build } from './build.test.support.js';

const { env: _, directory: __, ...use } = await build(JSON.parse(process.argv[2] ?? '{}'));
process.stdout.write(JSON.stringify(use));
