// SPDX-License-Identifier: MIT
/** Small faults in a model's TypeScript, one at a time: the other half of `mutate.ts`. */
import { type Operator, table } from './mutate.js';

/** What a model's own names are: each is a fault in the place of the next of its kind. */
export interface ModelNames {
  /** Names that stand in quotes. */
  readonly quoted: readonly (readonly string[])[];
  /** Properties that hold the same type. */
  readonly fields: readonly (readonly string[])[];
  /** Constants that are limits, bigint. */
  readonly limits: readonly string[];
}

const next =
  (words: readonly string[]) =>
  (found: string): readonly string[] => {
    const other = words[(words.indexOf(found) + 1) % words.length];
    return other === undefined || other === found ? [] : [other];
  };

export function modelOperators({ quoted, fields, limits }: ModelNames): readonly Operator[] {
  return [
    {
      name: 'comparison',
      pattern: / (===|!==|<=|>=|<|>) /g,
      to: table({
        '===': ['!=='],
        '!==': ['==='],
        '<': ['<=', '>='],
        '<=': ['<', '>'],
        '>': ['>=', '<='],
        '>=': ['>', '<'],
      }),
    },
    { name: 'logic', pattern: / (&&|\|\|) /g, to: (found) => [found === '&&' ? '||' : '&&'] },
    { name: 'negation', pattern: /[( ](!)[\w(]/g, to: () => [''] },
    { name: 'condition', pattern: /\bif \(((?:[^()]|\([^()]*\))*)\)/g, to: () => ['true', 'false'] },
    {
      name: 'choice',
      pattern: /(?:return|=|:|\() ?([^?:;={}\n]+(?: [=!]== [^?:;\n]+)?) \? /g,
      to: () => ['true', 'false'],
    },
    {
      name: 'arithmetic',
      pattern: / ([+\-*/%&|]|<<|>>) (?=[\w(~])/g,
      to: table({
        '+': ['-'],
        '-': ['+'],
        '*': ['+'],
        '/': ['*'],
        '%': ['/'],
        '&': ['|'],
        '|': ['&', '^'],
        '<<': ['>>'],
        '>>': ['<<'],
      }),
    },
    { name: 'complement', pattern: /(~)\w/g, to: () => [''] },
    {
      name: 'constant',
      pattern: /\b(\d+)n\b/g,
      to: (found) => [String(Number(found) + 1), ...(Number(found) > 0 ? [String(Number(found) - 1)] : [])],
    },
    { name: 'number', pattern: /(?<![\w.])(\d+)\b(?!n)/g, to: (found) => [String(Number(found) + 1)] },
    {
      name: 'limit',
      pattern: new RegExp(`\\b(${limits.join('|')})\\b`, 'g'),
      to: (found) => [`(${found} + 1n)`, `(${found} - 1n)`],
    },
    { name: 'truth', pattern: /\b(true|false)\b/g, to: (found) => [found === 'true' ? 'false' : 'true'] },
    ...quoted.map((words) => ({
      name: 'name',
      pattern: new RegExp(`'(${words.join('|')})'`, 'g'),
      to: next(words),
    })),
    ...fields.map((words) => ({
      name: 'field',
      pattern: new RegExp(`\\.(${words.join('|')})\\b`, 'g'),
      to: next(words),
    })),
    { name: 'forgotten effect', pattern: /(\{ effect: [^{}]*\},?)/g, to: () => [''] },
    { name: 'forgotten spread', pattern: /(\.\.\.[\w.]+,) /g, to: () => [''] },
    { name: 'forgotten property', pattern: /[{,] (\w+: [^,{}()\n]+,?)(?= )/g, to: () => [''] },
  ];
}

/** Same length, with comments and imports blanked out. */
export function maskTypeScript(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|^import [\s\S]*?;$/gm, (text) =>
    text.replace(/[^\n]/g, ' '),
  );
}
