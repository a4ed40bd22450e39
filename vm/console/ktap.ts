// SPDX-License-Identifier: MIT
/** Reads the KTAP document (Documentation/dev-tools/ktap.rst, version 1) out of a guest's console, line by line. */
import { printable } from '../../lib/printable.js';
import { kernelMessage } from './console.js';
import type { KtapResult, KtapTest } from '../types.js';

/** Between the names of a nested test and its parents. */
export const NAME_SEPARATOR = ' / ';

// A guest may print any line: `[^]*` matches to the end, where `.*$` would stop at U+2028 and try again at every blank before it.
const VERSION = /^(?:KTAP version \d+|TAP version 1[34])$/;
const PLAN = /^1\.\.(\d+)(?:\s+#\s*([^]*))?$/;
const RESULT = /^(ok|not ok)(?:\s+(\d+))?(?:\s+-)?(?:\s+([^]*))?$/;
const BAIL_OUT = /^Bail out!\s*([^]*)$/;
const DIAGNOSTIC = /^#\s?([^]*)$/;
/** A line that kselftest's runner passes on from a test's program: it puts `# ` in front, once for each runner. */
const PASSED_ON = /^(?:# )+/;
/** Without a number it may be prose. */
const NUMBERED = /^(?:not )?ok \d/;
const SUBTEST = /^Subtest:\s*([^]*)$/;
/** A directive follows the first `#` that is not escaped. */
const BEFORE_DIRECTIVE = /^(?:[^#\\]|\\[^])*/;

/** Results of one document, or of one nested one, while it is read. */
interface Level {
  readonly indent: number;
  planned: number | undefined;
  count: number;
  /** Results that kselftest's runner passes on: what the program says of plans and numbers is only for people. */
  readonly passedOn: boolean;
  /** A test here has failed, so the parent has. */
  failed: boolean;
  /** Flattened: the names are relative to this level. */
  tests: KtapTest[];
  diagnostics: string[];
  subtest: string;
}

export class KtapParser {
  readonly #levels: Level[] = [];
  #ended: Level | undefined;
  #bailedOut = false;
  /** The document is the kernel's own: its version line has printk's time. */
  #timed = false;
  /** A line that has the version, and more. */
  #displaced: string | undefined;
  readonly #problems: string[] = [];

  /** One line of the console: noise is ignored, printk's time in front of a KTAP line is not. */
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

  /** A line has a version line and more: it is meant to be KTAP, and is none. */
  get displaced(): boolean {
    return this.#displaced !== undefined;
  }

  /** Results of the outermost level so far. */
  get results(): number {
    return this.#levels[0]?.count ?? 0;
  }

  /** The outermost plan is known and met, or the test bailed out. */
  get complete(): boolean {
    const top = this.#levels[0];
    return this.#bailedOut || (top?.planned !== undefined && top.count >= top.planned);
  }

  /** What has been read so far; nothing is added after it. */
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
    // A driver may print a line that begins with '#', too; it is no part of a test's document.
    if (timed !== this.#timed && text.startsWith('#')) return;
    if (this.#passedOn(text, indent)) return;
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

  /** `# ok 1 name`: counts, one by one, below the test whose result comes after it. */
  #passedOn(line: string, indent: number): boolean {
    const [marks] = PASSED_ON.exec(line) ?? [];
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
    if (this.#levels.some((level) => level.passedOn && level.indent === indent)) return;
    const above = Math.max(
      0,
      this.#levels.findLastIndex((level) => level.indent < indent),
    );
    const level = newLevel(indent, true);
    // Whatever the program has printed so far.
    level.diagnostics = present(this.#levels[above]).diagnostics.splice(0);
    this.#levels.splice(above + 1, 0, level);
  }

  #version(indent: number): void {
    const current = this.#levels.at(-1);
    if (current === undefined || indent > current.indent) {
      this.#levels.push(newLevel(indent));
    } else if (indent === current.indent && current.count === 0 && current.planned === undefined) {
      // Said twice before anything else, as a wrapper script may do.
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
    const passedOn = this.#levels.findLast((level) => level.passedOn);
    const level = passedOn ?? this.#levelFor(indent);
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
    if (level.passedOn) level.planned = level.count;
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

  /** Ends the levels nested below `at`: their tests become children of the test `name`, which fails with them. */
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
      if ((!outermost && !child.passedOn) || name.startsWith('('))
        this.#problems.push(`the result of '${prefix}' itself is missing`);
      parent.diagnostics.push(...child.diagnostics);
    }
    return { failed };
  }

  /** The innermost level that is indented no deeper than this. */
  #levelFor(indent: number): Level {
    return present(this.#levels.findLast((level) => level.indent <= indent) ?? this.#levels[0]);
  }
}

/** For what the code around it has made sure of. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('Internal error: no open KTAP level');
  return value;
}

function newLevel(indent: number, passedOn = false): Level {
  const planned = passedOn ? 0 : undefined;
  return { indent, passedOn, failed: false, planned, count: 0, tests: [], diagnostics: [], subtest: '' };
}

function planProblem(level: Level, name: string): string[] {
  const of = name === '' ? '' : `${name}: `;
  if (level.planned === undefined) return [`${of}no plan (1..N)`];
  if (level.planned === level.count) return [];
  return [`${of}planned ${level.planned} tests, got ${level.count}`];
}

/** A skipped test counts neither way; so does a failure that was expected. */
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
