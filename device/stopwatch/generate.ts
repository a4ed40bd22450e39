// SPDX-License-Identifier: MIT
/** `npm run generate`: writes driver/stopwatch/stopwatch_hw-sw.h and the tables of docs/registers.md from the contract. Run from the repository's root. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fillIn } from '../../lib/markdown.js';
import { header } from './contract/header.js';
import { registersDoc } from './contract/registers-doc.js';

writeFileSync('driver/stopwatch/stopwatch_hw-sw.h', header());
writeFileSync('docs/registers.md', fillIn(readFileSync('docs/registers.md', 'utf8'), registersDoc()));
