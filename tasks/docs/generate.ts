// SPDX-License-Identifier: MIT
/** Part of `npm run generate`: the generated parts of docs/commands.md and docs/design.md. Run from the repository's root. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fillIn } from '../../lib/markdown.js';
import { commandsDoc } from './commands-doc.js';
import { designDoc } from './graph-doc.js';

for (const [file, sections] of [
  ['docs/commands.md', commandsDoc()],
  ['docs/design.md', designDoc()],
] as const) {
  writeFileSync(file, fillIn(readFileSync(file, 'utf8'), sections));
}
