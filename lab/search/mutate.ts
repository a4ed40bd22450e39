// SPDX-License-Identifier: MIT
/** Small faults in a C source, one at a time, from a list of operators. */

export interface Mutant {
  /** `operator function: line -> changed line`: stays the same when lines move. */
  readonly id: string;
  readonly operator: string;
  /** Function or table that it is in. */
  readonly where: string;
  readonly line: number;
  readonly original: string;
  readonly changed: string;
  /** The whole source with the fault. */
  readonly source: string;
}

/** Finds in masked text (comments, strings and preprocessor lines blanked out) and replaces in the real one. */
export interface Operator {
  readonly name: string;
  readonly pattern: RegExp;
  /** Replacements for what was found: the first group, if there is one. */
  readonly to: (found: string) => readonly string[];
}

export const table =
  (map: Readonly<Record<string, readonly string[]>>) =>
  (found: string): readonly string[] =>
    map[found] ?? [];

/** Words that name things of the same kind: each is a fault in the place of another. */
export function otherWords(words: readonly string[]): Pick<Operator, 'pattern' | 'to'> {
  return {
    pattern: new RegExp(`\\b(?:${words.join('|')})\\b`, 'g'),
    to: (found) => {
      const index = words.indexOf(found);
      const next = words[(index + 1) % words.length];
      return next === undefined || next === found ? [] : [next];
    },
  };
}

const STATEMENT =
  /^[ ]{4,}(?!return\b|break\b|case\b|default\b|if\b|goto\b|static\b|const\b|\}|\w+(?: \w+)* \*?\w+(?:\[\w+\])?(?: =|;))([\w&*(][^{}]*?;)[ ]*$/gm;

/** What each kind of name of a device is; the first pattern of each device's own. */
export interface Names {
  readonly registers: readonly string[];
  readonly statuses: readonly string[];
  readonly errors: readonly string[];
  readonly commands: readonly string[];
  readonly fields: readonly string[];
  readonly timeouts: readonly string[];
}

export function operators(names: Names): readonly Operator[] {
  return [
    {
      name: 'comparison',
      pattern: / (==|!=|<=|>=|<|>) /g,
      to: (found) =>
        table({
          '==': ['!='],
          '!=': ['=='],
          '<': ['<=', '>='],
          '<=': ['<', '>'],
          '>': ['>=', '<='],
          '>=': ['>', '<'],
        })(found),
    },
    { name: 'logic', pattern: / (&&|\|\|) /g, to: (found) => [found === '&&' ? '||' : '&&'] },
    { name: 'negation', pattern: /[( ](!)[\w(]/g, to: () => [''] },
    {
      name: 'condition',
      pattern: /\bif \((.*)\) \{$/gm,
      to: () => ['true', 'false'],
    },
    {
      name: 'arithmetic',
      pattern: / ([+\-*/%]|<<|\||&) (?=[\w(])/g,
      to: (found) =>
        table({
          '+': ['-'],
          '-': ['+'],
          '*': ['/', '+'],
          '/': ['*', '%'],
          '%': ['/'],
          '<<': ['>>'],
          '|': ['&'],
          '&': ['|'],
        })(found),
    },
    {
      name: 'assignment',
      pattern: / (&= ~|\|=) ?/g,
      to: (found) => (found === '|=' ? ['=', '&='] : ['&= ', '|= ']),
    },
    { name: 'increment', pattern: /\w(\+\+)/g, to: () => ['--'] },
    {
      name: 'constant',
      pattern: /\b(\d+)\b(?!\.)/g,
      to: (found) => [String(Number(found) + 1), ...(Number(found) > 1 ? [String(Number(found) - 1)] : [])],
    },
    {
      name: 'limit',
      pattern: /\b([A-Z]+_[A-Z_]*(?:MAX|SIZE|PER)_?[A-Z]*)\b/g,
      to: (found) => [`(${found} + 1)`, `(${found} - 1)`],
    },
    { name: 'truth', pattern: /\b(true|false)\b/g, to: (found) => [found === 'true' ? 'false' : 'true'] },
    { name: 'register', ...otherWords(names.registers) },
    { name: 'status', ...otherWords(names.statuses) },
    { name: 'error', ...otherWords(names.errors) },
    { name: 'command', ...otherWords(names.commands) },
    { name: 'timeout state', ...otherWords(names.timeouts) },
    {
      name: 'field',
      pattern: new RegExp(`\\bs->(${names.fields.join('|')})\\b`, 'g'),
      to: (found) => {
        const index = names.fields.indexOf(found);
        return [names.fields[(index + 1) % names.fields.length] ?? ''];
      },
    },
    { name: 'narrowing', pattern: /\(u?int64_t\)()/g, to: () => ['(int16_t)'] },
    {
      name: 'timer',
      pattern: /timer_mod_ns\([^,]+, ([^)]+)\)/g,
      to: (found) =>
        [1, -1, 1_000_000, -1_000_000].map((ns) => `${found} ${ns < 0 ? '-' : '+'} ${Math.abs(ns)}`),
    },
    { name: 'forgotten migration field', pattern: /^ +(VMSTATE_U?INT\d+\(.*\),)$/gm, to: () => [''] },
    { name: 'forgotten statement', pattern: STATEMENT, to: () => [';'] },
    {
      name: 'forgotten return',
      pattern: /^ +(return(?: [^;]*)?;)$/gm,
      to: (found) => (found === 'return;' ? [';'] : []),
    },
    {
      name: 'wrong return',
      pattern: /^ +return (\w[^;]*);$/gm,
      to: (found) => (found === '0' || found === 'false' ? [] : ['0']),
    },
    {
      name: 'order',
      pattern: /^( {4,}[\w&*(][^{};\n]*;\n {4,}[\w&*(][^{};\n]*;)$/gm,
      to: swapped,
    },
  ];
}

/** Two statements in the other order, unless one is a declaration or leaves the block. */
function swapped(found: string): readonly string[] {
  const [first = '', second = ''] = found.split('\n');
  const leaves =
    /^ *(?:return|break|goto|case|default|const|static|u?int\d+_t|bool|char|unsigned|int|[A-Z]\w+ \*)/;
  if (leaves.test(first) || leaves.test(second)) return [];
  if (/^ */.exec(first)?.[0] !== /^ */.exec(second)?.[0]) return [];
  return [`${second}\n${first}`];
}

/** Same length, with everything blank that is no code. */
export function mask(source: string): string {
  return source.replace(
    /\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|^#.*(?:\\\n.*)*$/gm,
    (text) => text.replace(/[^\n]/g, ' '),
  );
}

/** All mutants, in the order of the operators; each differs from the source and from every other. `from`: text at which the part that is mutated begins. `blank`: see `mask`. */
export function mutants(
  source: string,
  list: readonly Operator[],
  from: string,
  blank: (text: string) => string = mask,
): readonly Mutant[] {
  const masked = blank(source);
  const start = Math.max(0, source.indexOf(from));
  const seen = new Set<string>([source]);
  const ids = new Map<string, number>();
  const all: Mutant[] = [];
  for (const { name, pattern, to } of list) {
    for (const match of masked.matchAll(pattern)) {
      const [whole] = match;
      const inner = match[1] ?? whole;
      const at = match.index + (match[1] === undefined ? 0 : whole.indexOf(inner));
      if (at < start) continue;
      for (const replacement of to(source.slice(at, at + inner.length))) {
        const changed = source.slice(0, at) + replacement + source.slice(at + inner.length);
        if (seen.has(changed)) continue;
        seen.add(changed);
        const mutant = describe(source, changed, masked, name, at, inner.length, replacement);
        const same = (ids.get(mutant.id) ?? 0) + 1;
        ids.set(mutant.id, same);
        all.push(same === 1 ? mutant : { ...mutant, id: `${mutant.id} #${same}` });
      }
    }
  }
  return all;
}

function describe(
  source: string,
  changed: string,
  masked: string,
  operator: string,
  at: number,
  length: number,
  replacement: string,
): Mutant {
  const lineStart = source.lastIndexOf('\n', at) + 1;
  const lineEnd = source.indexOf('\n', at + length);
  const original = source.slice(lineStart, lineEnd);
  const now = source.slice(lineStart, at) + replacement + source.slice(at + length, lineEnd);
  const where = definitionAt(masked, at);
  return {
    id: `${operator} in ${where}: ${squeeze(original)} -> ${squeeze(now)}`,
    operator,
    where,
    line: source.slice(0, at).split('\n').length,
    original: squeeze(original),
    changed: squeeze(now),
    source: changed,
  };
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** The function or table that this place of a source is in: the last definition that begins before it. `masked`: see `mask`. */
export function definitionAt(masked: string, at: number): string {
  const before = masked.slice(0, at);
  const names = [...before.matchAll(/^(?! )[\w *]*?(\w+)(?:\(|\[\] = \{| = \{)/gm)];
  return names.at(-1)?.[1] ?? 'top';
}
