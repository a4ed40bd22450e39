// SPDX-License-Identifier: MIT
/** Makes small faults in a C source, one at a time, with regular expressions. */
import type { MutationNames } from './search/search.js';

export interface Mutant {
  /** `operator in function: line -> changed line`: stays the same when lines move. */
  readonly id: string;
  readonly operator: string;
  readonly line: number;
  /** The whole source with the fault. */
  readonly source: string;
}

/** Matches are searched in masked text, in which everything but code is blank. */
interface Operator {
  readonly name: string;
  readonly pattern: RegExp;
  /** Replacements for the first group of a match, or for all of it. */
  readonly to: (found: string) => readonly string[];
}

const table =
  (map: Readonly<Record<string, readonly string[]>>) =>
  (found: string): readonly string[] =>
    map[found] ?? [];

/** Replaces each name by the next one of its group. */
const next =
  (names: readonly string[]) =>
  (found: string): readonly string[] => {
    const other = names[(names.indexOf(found) + 1) % names.length];
    return other === undefined || other === found ? [] : [other];
  };

const RELATIONS = { '<': ['<=', '>='], '<=': ['<', '>'], '>': ['>=', '<='], '>=': ['>', '<'] };
const LOGIC: Operator = { name: 'logic', pattern: / (&&|\|\|) /g, to: table({ '&&': ['||'], '||': ['&&'] }) };
const NEGATION: Operator = { name: 'negation', pattern: /[( ](!)[\w(]/g, to: () => [''] };
const TRUTH: Operator = {
  name: 'truth',
  pattern: /\b(true|false)\b/g,
  to: table({ true: ['false'], false: ['true'] }),
};

const STATEMENT =
  /^[ ]{4,}(?!return\b|break\b|case\b|default\b|if\b|goto\b|static\b|const\b|\}|\w+(?: \w+)* \*?\w+(?:\[\w+\])?(?: =|;))([\w&*(][^{}]*?;)[ ]*$/gm;

function cOperators({ names, fields }: MutationNames['c']): readonly Operator[] {
  return [
    {
      name: 'comparison',
      pattern: / (==|!=|<=|>=|<|>) /g,
      to: table({ '==': ['!='], '!=': ['=='], ...RELATIONS }),
    },
    LOGIC,
    NEGATION,
    { name: 'condition', pattern: /\bif \((.*)\) \{$/gm, to: () => ['true', 'false'] },
    {
      name: 'arithmetic',
      pattern: / ([+\-*/%]|<<|\||&) (?=[\w(])/g,
      to: table({
        '+': ['-'],
        '-': ['+'],
        '*': ['/', '+'],
        '/': ['*', '%'],
        '%': ['/'],
        '<<': ['>>'],
        '|': ['&'],
        '&': ['|'],
      }),
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
    TRUTH,
    ...Object.entries(names).map(([name, group]) => ({
      name,
      pattern: new RegExp(`\\b(?:${group.join('|')})\\b`, 'g'),
      to: next(group),
    })),
    { name: 'field', pattern: new RegExp(`\\bs->(${fields.join('|')})\\b`, 'g'), to: next(fields) },
    { name: 'narrowing', pattern: /\(u?int64_t\)()/g, to: () => ['(int16_t)'] },
    {
      name: 'timer',
      pattern: /timer_mod_ns\([^,]+, ([^)]+)\)/g,
      to: (found) => ['+ 1', '- 1', '+ 1000000', '- 1000000'].map((later) => `${found} ${later}`),
    },
    { name: 'forgotten migration field', pattern: /^ +(VMSTATE_U?INT\d+(?:_V)?\(.*\),)$/gm, to: () => [''] },
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
    { name: 'order', pattern: /^( {4,}[\w&*(][^{};\n]*;\n {4,}[\w&*(][^{};\n]*;)$/gm, to: swapped },
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

const blanked = (text: string): string => text.replace(/[^\n]/g, ' ');

/** C of the same length in which comments, strings and preprocessor lines are blank. */
export function maskC(source: string): string {
  return source.replace(
    /\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|^#.*(?:\\\n.*)*$/gm,
    blanked,
  );
}

/** All mutants of the device's C source. */
export function cMutants(source: string, names: MutationNames['c']): readonly Mutant[] {
  return mutants(source, maskC(source), names.from, cOperators(names));
}

/** In the order of the operators; each differs from the source and from every other. */
function mutants(
  source: string,
  masked: string,
  from: string,
  operators: readonly Operator[],
): readonly Mutant[] {
  const start = Math.max(0, source.indexOf(from));
  const seen = new Set<string>([source]);
  const ids = new Map<string, number>();
  const all: Mutant[] = [];
  for (const { name, pattern, to } of operators) {
    for (const match of masked.matchAll(pattern)) {
      const [whole] = match;
      const inner = match[1] ?? whole;
      const at = match.index + (match[1] === undefined ? 0 : whole.indexOf(inner));
      if (at < start) continue;
      const end = at + inner.length;
      for (const replacement of to(source.slice(at, end))) {
        const changed = source.slice(0, at) + replacement + source.slice(end);
        if (seen.has(changed)) continue;
        seen.add(changed);
        const lineStart = source.lastIndexOf('\n', at) + 1;
        const lineEnd = source.indexOf('\n', end);
        const original = squeeze(source.slice(lineStart, lineEnd));
        const now = squeeze(source.slice(lineStart, at) + replacement + source.slice(end, lineEnd));
        const id = `${name} in ${definitionAt(masked, at)}: ${original} -> ${now}`;
        const same = (ids.get(id) ?? 0) + 1;
        ids.set(id, same);
        const line = source.slice(0, at).split('\n').length;
        all.push({ id: same === 1 ? id : `${id} #${same}`, operator: name, line, source: changed });
      }
    }
  }
  return all;
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** The function or table that this place of a source is in: the last definition that begins before it. */
export function definitionAt(masked: string, at: number): string {
  const before = masked.slice(0, at);
  const names = [...before.matchAll(/^(?! )[\w *]*?(\w+)(?:\(|\[\] = \{| = \{)/gm)];
  return names.at(-1)?.[1] ?? 'top';
}
