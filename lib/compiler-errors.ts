// SPDX-License-Identifier: MIT
/** The errors of compilers in a build's output, and where their files are in the repository. */
import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';

export interface CompilerError {
  /** As the compiler names it: absolute, or relative to where it ran. */
  readonly file: string;
  readonly line: number;
  readonly column: number | undefined;
  readonly message: string;
  /** The lines that follow: the source, and where in it. */
  readonly source: readonly string[];
}

/** `file:line[:column]: error: …`, as gcc, as and dtc write it; and ld's `file:line: undefined reference`. */
const COMPILER_ERROR =
  /^(?:\S*ld: )?(?<file>[^\s:]+):(?<line>\d+)(?::(?<column>\d+))?: (?:(?:fatal )?[eE]rror: (?<error>.+)|(?<undefined>undefined reference to .+))$/;
/** The source with its line's number, and the mark below it. */
const SOURCE = /^ *(?:\d+)? \| /;

/** The error on a line, or undefined. */
export function compilerError(text: string): Omit<CompilerError, 'source'> | undefined {
  const groups = COMPILER_ERROR.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { file = '', line, column, error, undefined: reference = '' } = groups;
  return {
    file,
    line: Number(line),
    column: column === undefined ? undefined : Number(column),
    message: error ?? reference,
  };
}

/** Takes lines as they come, and keeps the errors. */
export class CompilerErrors {
  static readonly most = 10;
  readonly #found = new Map<string, CompilerError & { readonly source: string[] }>();
  #last: string[] | undefined;

  line(text: string): void {
    if (this.#last !== undefined && this.#last.length < 3 && SOURCE.test(text)) {
      this.#last.push(text);
      return;
    }
    this.#last = undefined;
    const error = compilerError(text);
    if (error === undefined || this.#found.has(text) || this.#found.size >= CompilerErrors.most) return;
    this.#last = [];
    this.#found.set(text, { ...error, source: this.#last });
  }

  /** Each once, in order. */
  get found(): readonly CompilerError[] {
    return [...this.#found.values()];
  }
}

/**
 * `device/NAME/NAME.c`: relative to `root`, where the sources are linked into the trees that are compiled.
 * Absolute if it is outside `root`. `directories`: where the compiler may have run.
 */
export function sourcePath(
  file: string,
  { root, directories }: { readonly root: string; readonly directories: readonly string[] },
): string {
  const candidates = isAbsolute(file) ? [file] : directories.map((directory) => join(directory, file));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) return file;
  const real = realpathSync(found);
  const path = relative(realpathSync(root), real);
  return path.startsWith('..') || isAbsolute(path) ? real : path;
}

/** `device/NAME/NAME.c:337:19: error: …` */
export function compilerErrorText({ line, column, message }: CompilerError, path: string): string {
  return `${path}:${line}${column === undefined ? '' : `:${column}`}: error: ${message}`;
}
