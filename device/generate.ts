// SPDX-License-Identifier: MIT
/** `npm run generate`: writes driver/stopwatch_hw-sw.h from the contract. Run from the repository's root. */
import { writeFileSync } from 'node:fs';
import { header } from './header.js';

writeFileSync('driver/stopwatch_hw-sw.h', header());
