// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMAND, ERROR_BIT, FEATURE_BIT, REGISTERS, STATUS } from './contract.js';
import { fillIn, markdownTable } from '../../../lib/markdown.js';
import { registersDoc } from './registers-doc.js';

const page = readFileSync(join(import.meta.dirname, '../../../docs/registers.md'), 'utf8');

describe('docs/registers.md', () => {
  it('has the tables that the contract generates (if not: npm run build && npm run generate)', () => {
    expect(fillIn(page, registersDoc())).toBe(page);
  });
  it('has a row for each register, command, state, error and feature', () => {
    const sections = registersDoc();
    const rows = (name: string) => (sections[name] ?? '').split('\n').filter((line) => line.startsWith('| '));
    for (const { name, offset } of REGISTERS) {
      const row = rows('registers').find((line) => line.includes(`\`${name}\``));
      expect(row).toContain(`0x${offset.toString(16).padStart(2, '0')}`);
    }
    for (const name of Object.keys(COMMAND)) expect(sections['commands']).toContain(`\`${name}\``);
    for (const name of Object.keys(STATUS)) expect(sections['status']).toContain(`\`${name}\``);
    for (const name of Object.keys(ERROR_BIT)) expect(sections['errors']).toContain(`\`${name}\``);
    // Head and rule come with the rows.
    expect(rows('features')).toHaveLength(Object.keys(FEATURE_BIT).length + 2);
  });
});

describe('fillIn', () => {
  const text = 'a\n<!-- generated: one (npm run generate) -->\nold\n<!-- end of generated -->\nb\n';
  it('replaces what is between the markers and nothing else, and again the same', () => {
    const filled = fillIn(text, { one: 'new' });
    expect(filled).toBe(
      'a\n<!-- generated: one (npm run generate) -->\n\nnew\n\n<!-- end of generated -->\nb\n',
    );
    expect(fillIn(filled, { one: 'new' })).toBe(filled);
  });
  it('does not lose a section, and does not leave a place empty', () => {
    expect(() => fillIn(text, { one: 'new', two: 'lost' })).toThrow("no place for 'two'");
    expect(() => fillIn(text, {})).toThrow("'one', which nothing generates");
  });
  it('keeps a bar inside a cell from making a column', () => {
    expect(markdownTable(['a', 'b'], [['x|y', 'z']])).toBe('| a    | b   |\n| ---- | --- |\n| x\\|y | z   |');
  });
});
