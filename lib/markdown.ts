// SPDX-License-Identifier: MIT
/** Generated parts of a hand-written page: what stands between two markers is replaced, everything else is left alone. */

const begin = (name: string): string => `<!-- generated: ${name} (npm run generate) -->`;
const END = '<!-- end of generated -->';

/** The page with each section in its place. Throws when a section has no place, or a place no section. */
export function fillIn(page: string, sections: Readonly<Record<string, string>>): string {
  const marked = [...page.matchAll(/^<!-- generated: ([\w-]+) \(npm run generate\) -->$/gm)].map(
    ([, name = '']) => name,
  );
  for (const name of marked) {
    if (!Object.hasOwn(sections, name))
      throw new Error(`The page asks for '${name}', which nothing generates`);
  }
  let text = page;
  for (const [name, section] of Object.entries(sections)) {
    const from = text.indexOf(begin(name));
    const to = text.indexOf(END, from);
    if (from < 0 || to < 0) throw new Error(`The page has no place for '${name}'`);
    text = `${text.slice(0, from)}${begin(name)}\n\n${section.trim()}\n\n${text.slice(to)}`;
  }
  return text;
}

/** A Markdown table, its columns in line. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const clean = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...clean.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [title = [], ...body] = clean;
  return [line(title), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
