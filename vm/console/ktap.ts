// SPDX-License-Identifier: MIT
/** Parses KTAP version 1 (Documentation/dev-tools/ktap.rst) from a guest's console, line by line. */
import { printable } from '../../lib/printable.js';
import { kernelMessage } from './console.js';
import type { KtapResult, KtapTest } from '../types.js';

/** Separates the names of a nested test and its parents. */
export const NAME_SEPARATOR = ' / ';

// `[^]*` instead of `.*$`: `.` does not match U+2028, and a hostile line could then cause quadratic backtracking.
const VERSION = /^(?:KTAP version \d+|TAP version 1[34])$/;
const PLAN = /^1\.\.(\d+)(?:\s+#\s*([^]*))?$/;
const RESULT = /^(ok|not ok)(?:\s+(\d+))?(?:\s+-)?(?:\s+([^]*))?$/;
const BAIL_OUT = /^Bail out!\s*([^]*)$/;
const DIAGNOSTIC = /^#\s?([^]*)$/;
/** Each level of kselftest's runner prefixes the lines of a test program with `# `. */
const FORWARDED = /^(?:# )+/;
/** Without a number, the line may be prose. */
const NUMBERED = /^(?:not )?ok \d/;
const SUBTEST = /^Subtest:\s*([^]*)$/;
/** A directive follows the first `#` that is not escaped. */
const BEFORE_DIRECTIVE = /^(?:[^#\\]|\\[^])*/;

/** Results of one document, nested or not, while it is being parsed. */
interface Level {
  readonly indent: number;
  planned: number | undefined;
  count: number;
  /** Results forwarded by kselftest's runner. The plan and the numbers of the program are not checked. */
  readonly forwarded: boolean;
  /** A test at this level has failed, so its parent fails too. */
  failed: boolean;
  /** Flattened; the names are relative to this level. */
  tests: KtapTest[];
  diagnostics: string[];
  subtest: string;
}

export class KtapParser {
  readonly #levels: Level[] = [];
  #ended: Level | undefined;
  #bailedOut = false;
  /** The kernel printed the document: its version line has printk's timestamp. */
  #timed = false;
  /** A line that contains a version line and other text. */
  #displaced: string | undefined;
  readonly #problems: string[] = [];

  /** Takes one console line. Noise is ignored; printk's timestamp in front of a KTAP line is stripped. */
  line(raw: string): void {
    if (this.#ended !== undefined) return;
    const { message, timed } = kernelMessage(printable(raw));
    const text = message.trimStart();
    const indent = message.length - text.length;
    this.#take(text.trimEnd(), indent, timed);
  }

  /** A version line has been seen. */
  get started(): boolean {
    return this.#levels.length > 0;
  }

  /** Whether the version line is not alone on its line, which makes the document invalid. */
  get displaced(): boolean {
    return this.#displaced !== undefined;
  }

  /** Number of results at the outermost level so far. */
  get results(): number {
    return this.#levels[0]?.count ?? 0;
  }

  /** Whether the outermost plan is met, or the test bailed out. */
  get complete(): boolean {
    const top = this.#levels[0];
    return this.#bailedOut || (top?.planned !== undefined && top.count >= top.planned);
  }

  /** Ends the document and returns the result. */
  end(): KtapResult {
    const top = this.#levels[0];
    if (top !== undefined) this.#closeBelow(0, '(its own result is missing)');
    this.#ended ??= top ?? newLevel(0);
    if (top === undefined) return { planned: undefined, tests: [], problems: [this.#noVersion()] };
    const problems = [...this.#problems];
    if (!this.#bailedOut) problems.push(...planProblem(top, ''));
    return { planned: top.planned, tests: top.tests, problems };
  }

  #noVersion(): string {
    return this.#displaced === undefined
      ? 'no KTAP version line'
      : `the KTAP version line is not alone on its line: '${this.#displaced}'`;
  }

  #take(text: string, indent: number, timed: boolean): void {
    if (this.#levels.length === 0) this.#timed = timed;
    if (VERSION.test(text)) {
      this.#version(indent);
      return;
    }
    const current = this.#levels.at(-1);
    if (current === undefined && text.includes('TAP version 1')) this.#displaced ??= text.slice(0, 100);
    if (current === undefined || this.#bailedOut) return;
    // A driver may also print lines that begin with '#'; these do not belong to the document.
    if (timed !== this.#timed && text.startsWith('#')) return;
    if (this.#forwarded(text, indent)) return;
    const plan = PLAN.exec(text);
    if (plan !== null) {
      this.#plan(this.#levelFor(indent), Number(plan[1]), plan[2] ?? '');
      return;
    }
    const result = RESULT.exec(text);
    if (result !== null) {
      this.#result(indent, result[1] === 'ok', result[2], result[3] ?? '');
      return;
    }
    const bail = BAIL_OUT.exec(text);
    if (bail !== null) {
      this.#bailedOut = true;
      this.#problems.push(`the test bailed out: ${bail[1] === '' ? 'no reason given' : bail[1]}`);
      return;
    }
    const diagnostic = DIAGNOSTIC.exec(text);
    if (diagnostic !== null) this.#diagnostic(diagnostic[1] ?? '', indent);
  }

  /** Counts a forwarded `# ok 1 name` as a subtest of the test whose result follows. */
  #forwarded(line: string, indent: number): boolean {
    const [marks] = FORWARDED.exec(line) ?? [];
    if (marks === undefined) return false;
    const text = line.slice(marks.length).trimStart();
    if (VERSION.test(text) || PLAN.test(text)) return true;
    const bail = BAIL_OUT.test(text);
    if (!bail && !NUMBERED.test(text)) return false;
    const at = indent + line.length - text.length;
    this.#openPassedOn(at);
    const [, verdict, number, rest = ''] = RESULT.exec(text) ?? [];
    this.#result(at, verdict === 'ok', number, bail ? text : rest);
    return true;
  }

  #openPassedOn(indent: number): void {
    if (this.#levels.some((level) => level.forwarded && level.indent === indent)) return;
    const above = Math.max(
      0,
      this.#levels.findLastIndex((level) => level.indent < indent),
    );
    const level = newLevel(indent, true);
    // Everything that the program has printed so far.
    level.diagnostics = present(this.#levels[above]).diagnostics.splice(0);
    this.#levels.splice(above + 1, 0, level);
  }

  #version(indent: number): void {
    const current = this.#levels.at(-1);
    if (current === undefined || indent > current.indent) {
      this.#levels.push(newLevel(indent));
    } else if (indent === current.indent && current.count === 0 && current.planned === undefined) {
      // A wrapper script may repeat the version line before anything else.
    } else {
      this.#problems.push(`a second KTAP version line at indentation ${indent}`);
    }
  }

  #plan(level: Level, planned: number, comment: string): void {
    if (level.planned !== undefined) this.#problems.push(`a second plan, 1..${planned}`);
    else level.planned = planned;
    if (comment !== '') level.diagnostics.push(comment);
  }

  #diagnostic(text: string, indent: number): void {
    const forwarded = this.#levels.findLast((level) => level.forwarded);
    const level = forwarded ?? this.#levelFor(indent);
    const subtest = SUBTEST.exec(text);
    if (subtest === null) level.diagnostics.push(text);
    else level.subtest = subtest[1] ?? '';
  }

  #result(indent: number, ok: boolean, number: string | undefined, rest: string): void {
    let at = this.#levels.findLastIndex((level) => level.indent <= indent);
    if (at < 0) at = 0;
    const { name: given, comment } = splitDirective(rest);
    const level = present(this.#levels[at]);
    level.count += 1;
    const name = given === '' ? `test ${number ?? level.count}` : given;
    if (level.forwarded) level.planned = level.count;
    else if (number === undefined) this.#problems.push(`'${name}' has no number`);
    else if (Number(number) !== level.count) {
      this.#problems.push(`'${name}' has number ${number} where ${level.count} was expected`);
    }
    const nested = this.#closeBelow(at, name);
    const status = statusOf(ok && !nested.failed, comment);
    const why = ok && nested.failed ? [comment, 'a nested test failed'].filter(Boolean).join('; ') : comment;
    level.failed ||= status === 'not ok';
    level.tests.push({ name, status, comment: why, diagnostics: level.diagnostics });
    level.diagnostics = [];
  }

  /** Closes the levels nested below `at`. Their tests become children of the test `name`, which fails if one of them did. */
  #closeBelow(at: number, name: string): { readonly failed: boolean } {
    let failed = false;
    while (this.#levels.length > at + 1) {
      const child = present(this.#levels.pop());
      const parent = present(this.#levels.at(-1));
      const outermost = this.#levels.length === at + 1;
      const prefix = outermost && !name.startsWith('(') ? name : child.subtest || name;
      this.#problems.push(...planProblem(child, prefix));
      for (const test of child.tests) {
        parent.tests.push({ ...test, name: `${prefix}${NAME_SEPARATOR}${test.name}` });
      }
      failed ||= child.failed;
      if ((!outermost && !child.forwarded) || name.startsWith('('))
        this.#problems.push(`the result of '${prefix}' itself is missing`);
      parent.diagnostics.push(...child.diagnostics);
    }
    return { failed };
  }

  /** The innermost level with at most this indentation. */
  #levelFor(indent: number): Level {
    return present(this.#levels.findLast((level) => level.indent <= indent) ?? this.#levels[0]);
  }
}

/** Asserts a value that the caller knows to be present. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('Internal error: no open KTAP level');
  return value;
}

function newLevel(indent: number, forwarded = false): Level {
  const planned = forwarded ? 0 : undefined;
  return { indent, forwarded, failed: false, planned, count: 0, tests: [], diagnostics: [], subtest: '' };
}

function planProblem(level: Level, name: string): string[] {
  const of = name === '' ? '' : `${name}: `;
  if (level.planned === undefined) return [`${of}no plan (1..N)`];
  if (level.planned === level.count) return [];
  return [`${of}planned ${level.planned} tests, got ${level.count}`];
}

/** An expected failure (XFAIL, TODO) counts as skipped. */
function statusOf(ok: boolean, comment: string): KtapTest['status'] {
  const directive = /^[A-Za-z]+/.exec(comment)?.[0].toUpperCase();
  if (ok) return directive === 'SKIP' ? 'skip' : 'ok';
  return directive === 'XFAIL' || directive === 'TODO' ? 'skip' : 'not ok';
}

function splitDirective(rest: string): { name: string; comment: string } {
  const before = BEFORE_DIRECTIVE.exec(rest)?.[0] ?? '';
  const directive = rest[before.length] === '#';
  const name = (directive ? before : rest)
    .trim()
    .replace(/^- /, '')
    .replaceAll('\\#', '#')
    .replaceAll('\\\\', '\\');
  return { name, comment: directive ? rest.slice(before.length + 1).trim() : '' };
}
